import { webDigest } from '../cache/host.ts'
import type { Config } from '../config/schema.ts'
import type { Environment } from '../config/secrets.ts'
import { concat } from '../wire/block.ts'

/** The Durable Objects in which requests meet, or go on without their client. */
interface Meeting {
  getByName(name: string): { fetch(request: Request): Promise<Response> }
}

/** Bytes of a request that may go to an object: it is read before. */
const longest = 4 * 1024 * 1024
/** Where a response may be asked for that is made in the background. */
const responses = /\/responses\/?$/

let meetsOthers: boolean | undefined

/**
 * Sends a request to the object where all meet that may share an answer, or to one of its own if it may go on without its
 * client; any other is served here. Only the gateway that runs there knows which of them do: here is known no more than
 * which ones could.
 */
export async function meeting(
  request: Request,
  env: Environment,
  readConfig: (env: Environment) => Config,
  serve: (request: Request) => Response | Promise<Response>,
): Promise<Response> {
  const { headers, method } = request
  if (method !== 'POST' || !(Number(headers.get('content-length') ?? Number.NaN) <= longest))
    return await serve(request)
  const key = headers.get('idempotency-key')
  const meets = () => {
    const { cache } = readConfig(env)
    return typeof cache === 'object' && cache.singleFlight === true
  }
  meetsOthers ??= meets()
  const { pathname, search } = new URL(request.url)
  const isMet = key !== null || meetsOthers
  if (!isMet && !responses.test(pathname)) return await serve(request)
  const body = new Uint8Array(await request.arrayBuffer())
  const gone = new AbortController()
  request.signal.addEventListener('abort', () => gone.abort(request.signal.reason))
  const { signal } = gone
  const read = new Request(request, { body, signal })
  const isLater = responses.test(pathname) && new TextDecoder().decode(body).includes('"background"')
  if (!isMet && !isLater) return await serve(read)
  // The same key may come with another request, which has to be told so.
  const about = key === null ? [pathname, search] : [key, headers.get('authorization')]
  const head = encoder.encode(`${JSON.stringify(about)}\n`)
  const named = key === null ? concat([head, body]) : head
  const name = isLater && key === null ? crypto.randomUUID() : await webDigest(named)
  const object = (env as unknown as { readonly FLIGHTS: Meeting }).FLIGHTS.getByName(name)
  try {
    return await object.fetch(read)
  } catch (error) {
    // Nobody is there any more to get it.
    if (signal.aborted) return new Response(null, { status: 499 })
    throw error
  }
}

const encoder = new TextEncoder()
