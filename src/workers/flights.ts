import { webDigest } from '../cache/host.ts'
import type { Config } from '../config/schema.ts'
import type { Environment } from '../config/secrets.ts'
import { concat } from '../wire/block.ts'

/** The Durable Objects in which requests meet. */
interface Meeting {
  getByName(name: string): { fetch(request: Request): Promise<Response> }
}

/** Bytes of a request that may meet others: it is read before it goes to its object. */
const longest = 4 * 1024 * 1024

let meetsOthers: boolean | undefined

/**
 * Sends a request to the object where all meet that may share an answer; undefined if this one meets nobody. Only the
 * gateway that runs there knows which of them do: the name says no more than which ones could.
 */
export function meeting(
  request: Request,
  env: Environment,
  readConfig: (env: Environment) => Config,
): Promise<Response> | undefined {
  const { headers, method } = request
  if (method !== 'POST' || !(Number(headers.get('content-length') ?? Number.NaN) <= longest)) return undefined
  const key = headers.get('idempotency-key')
  const meets = () => {
    const { cache } = readConfig(env)
    return typeof cache === 'object' && cache.singleFlight === true
  }
  meetsOthers ??= meets()
  if (key === null && !meetsOthers) return undefined
  return send(request, (env as unknown as { readonly FLIGHTS: Meeting }).FLIGHTS, key)
}

async function send(request: Request, objects: Meeting, key: string | null): Promise<Response> {
  const { pathname, search } = new URL(request.url)
  const body = new Uint8Array(await request.arrayBuffer())
  // The same key may come with another request, which has to be told so.
  const about = key === null ? [pathname, search] : [key, request.headers.get('authorization')]
  const head = encoder.encode(`${JSON.stringify(about)}\n`)
  const named = key === null ? concat([head, body]) : head
  const gone = new AbortController()
  request.signal.addEventListener('abort', () => gone.abort(request.signal.reason))
  const { signal } = gone
  const object = objects.getByName(await webDigest(named))
  try {
    return await object.fetch(new Request(request, { body, signal }))
  } catch (error) {
    // Nobody is there any more to get it.
    if (signal.aborted) return new Response(null, { status: 499 })
    throw error
  }
}

const encoder = new TextEncoder()
