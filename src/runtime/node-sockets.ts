import { once } from 'node:events'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Clock } from '../core/clock.ts'
import { Abort } from '../core/signal.ts'
import { shuttingDown } from '../core/stopping.ts'
import { isRefused, type Sockets } from '../core/upgrade.ts'
import { operationFacts, realtimePaths } from '../operations/facts.ts'
import { GatewayError } from '../wire/errors.ts'
import type { HeaderReader } from '../wire/headers.ts'
import type { Random } from '../wire/ids.ts'
import { routePath } from '../wire/paths.ts'
import type { Handshake } from './node-handshake.ts'
import { answerOf, refusal, write } from './node-refusals.ts'
import type { Running } from './running.ts'

export interface SocketOptions {
  readonly open: Sockets
  readonly clock: Clock
  readonly random: Random
  /** Closes the sessions when the gateway stops. */
  readonly running: Running
}

/** A server that can be asked before it takes a request for an upgrade: since Node 22.21 and 24.9. */
type Asking = Server & { shouldUpgradeCallback?: (request: IncomingMessage) => boolean }

/** A connection and the response that is being written to it. */
type Connection = Duplex & { readonly _httpMessage?: ServerResponse | null }

/**
 * Has a server open WebSockets at the paths for them. All other requests stay what they are, also those that offer an
 * upgrade: Java's HTTP client offers HTTP/2 with each. Where Node can't tell them apart, no WebSockets are opened.
 */
export function serveSockets(server: Server, options: SocketOptions): void {
  const asking: Asking = server
  if (!asking.shouldUpgradeCallback) return
  asking.shouldUpgradeCallback = isWanted
  server.on('upgrade', (request: IncomingMessage, socket: Connection, head: Buffer) => {
    // Without a listener the error of a client that resets its connection would end the process.
    socket.on('error', () => {})
    void upgrade({ request, socket, head }, options).catch(() => socket.destroy())
  })
}

async function upgrade({ request, socket, head }: Handshake, { open, clock, random, running }: SocketOptions) {
  const wrong = running.stopped ? shuttingDown() : faultOf(request)
  // Answers to earlier requests on the connection come first.
  while (socket._httpMessage) await once(socket._httpMessage, 'close')
  if (wrong) return write(socket, answerOf(wrong, random))
  const client = new Leaving(socket)
  const outcome = await open({ url: urlOf(request), header: readerOf(request), signal: client.signal })
  if (isRefused(outcome)) return write(socket, { ...outcome, headers: { ...outcome.headers, connection: 'close' } })
  // Loaded when it is first used.
  const { shake } = await import('./node-handshake.ts')
  if (client.signal.aborted) return outcome.drop()
  // A handshake that the client's leaving ends is never heard of again.
  client.signal.addEventListener('abort', () => outcome.drop())
  shake({ request, socket, head }, outcome, clock, (peer) => {
    client.over()
    const joined = outcome.join(peer)
    const release = running.hold(() => joined.close(1001, 'The gateway is shutting down.'))
    peer.whenOver(release)
  })
}

/** Notes that a client leaves before its WebSocket is open. */
class Leaving {
  readonly signal = new Abort()
  readonly #socket: Duplex

  constructor(socket: Duplex) {
    this.#socket = socket
    socket.once('close', this.#left)
    socket.once('end', this.#left)
  }

  over(): void {
    this.#socket.off('close', this.#left)
    this.#socket.off('end', this.#left)
  }

  readonly #left = () => {
    this.over()
    this.#socket.destroy()
    this.signal.abort(new GatewayError('gone', 'The client left.'))
  }
}

/** Where WebSockets are opened, without `/v1`. */
const paths: ReadonlySet<string> = new Set([...realtimePaths, operationFacts.responses.path])

function isWanted({ method, url = '', headers }: IncomingMessage): boolean {
  const { upgrade: protocol = '' } = headers
  return method === 'GET' && protocol.toLowerCase() === 'websocket' && paths.has(routePath(absolute(url)))
}

/** Why a request for a WebSocket has no valid handshake (RFC 6455, 4.2.1). */
function faultOf({ headers }: IncomingMessage): GatewayError | undefined {
  const { 'sec-websocket-version': version, 'sec-websocket-key': key = '' } = headers
  if (version !== '13' && version !== '8') {
    return new GatewayError('bad_request', 'The version of the WebSocket protocol must be 13.', {
      status: 426,
      headers: { upgrade: 'websocket', 'sec-websocket-version': '13' },
    })
  }
  if (!/^[+/\dA-Za-z]{22}==$/.test(key)) return refusal(400, 'The Sec-WebSocket-Key header is not valid.')
  return undefined
}

function urlOf({ url = '' }: IncomingMessage): string {
  return absolute(url)
}

function absolute(url: string): string {
  return url.startsWith('/') ? `http://localhost${url}` : url
}

function readerOf({ headers }: IncomingMessage): HeaderReader {
  return (name) => {
    const value = headers[name]
    return Array.isArray(value) ? value.join(', ') : value
  }
}
