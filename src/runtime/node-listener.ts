import type { IncomingMessage, ServerResponse } from 'node:http'
import { dropLeftover } from './node-leftover.ts'

/** What the edge for Node gets with each request. */
export interface NodeBindings {
  readonly incoming: IncomingMessage
  readonly outgoing: ServerResponse
}

/** The app's `fetch`. */
export type Fetch = (request: Request, bindings: NodeBindings) => Response | Promise<Response>

/**
 * A request as far as routes look at it, which is the address and few headers. The edge reads all else from Node's own
 * objects: a real `Request` for each, and a real `Response` to write, made plain requests a twentieth dearer.
 */
class NodeRequest {
  readonly method: string
  readonly url: string
  readonly #incoming: IncomingMessage

  constructor(incoming: IncomingMessage, path: string) {
    this.method = incoming.method ?? 'GET'
    this.url = origin + path
    this.#incoming = incoming
  }

  get headers(): Pick<Headers, 'get'> {
    const { headers } = this.#incoming
    return {
      get(name) {
        const value = headers[name]
        return (Array.isArray(value) ? value.join(', ') : value) ?? null
      },
    }
  }
}

/** Of all addresses: nothing depends on the name that a client has for the gateway. */
const origin = 'http://localhost'

/** A host, if any, and a port. Without one in HTTP/1.0. */
const host = /^[\w.~%!$&'()*+,;=:[\]-]*$/

/** The path and query that a request is for; undefined if it has no usable address. */
export function pathOf({ url = '', headers }: IncomingMessage): string | undefined {
  if (!host.test(headers.host ?? '')) return undefined
  if (url.startsWith('/')) return url
  // Clients behind a proxy write all of the address.
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) return undefined
  const { pathname, search } = new URL(url)
  return pathname + search
}

/**
 * Passes a request for a path to the app, and writes the answers that the edge hasn't written itself. `fail` gets what
 * is thrown on the way, which would otherwise end the process with all its other requests.
 */
export function serveRequest(fetch: Fetch, path: string, bindings: NodeBindings, fail: (error: unknown) => void): void {
  try {
    const answer = fetch(new NodeRequest(bindings.incoming, path) as unknown as Request, bindings)
    const finish = (response: Response) => {
      const { outgoing } = bindings
      if (!outgoing.headersSent && !outgoing.destroyed) write(response, bindings).catch(fail)
    }
    if (answer instanceof Promise) answer.then(finish, fail)
    else finish(answer)
  } catch (error) {
    fail(error)
  }
}

/** Writes a small response. */
async function write(response: Response, { incoming, outgoing }: NodeBindings): Promise<void> {
  const headers = Object.fromEntries(response.headers)
  const body = response.body && new Uint8Array(await response.arrayBuffer())
  if (outgoing.destroyed) return
  dropLeftover(incoming, outgoing)
  if (!body) return void outgoing.writeHead(response.status, headers).end()
  outgoing.writeHead(response.status, { ...headers, 'content-length': String(body.length) }).end(body)
}
