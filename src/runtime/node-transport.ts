import type { Pool as Connections, Dispatcher } from 'undici'
import { lengthOf, type Transport, type UpstreamResponse } from '../core/transport.ts'
import { isDeadSocket, tellingConnector, unreachable } from './node-failures.ts'
import { Pieces, payload, uploadOf } from './node-payload.ts'
import { type Exchange, respondTo } from './node-response.ts'
import { Pool } from './undici.ts'

/** Milliseconds in which a connection that was closed before shows that it is: there and back, to the other side of the earth. */
const atOnce = 500

/**
 * Sends requests through undici's `dispatch`, the cheapest HTTP client on Node: upstream chunks go straight from the
 * socket into the stream, without a promise or a copy. One pool per origin and connect timeout, kept for the life of the
 * process: undici limits the making of a connection, whichever requests wait for it, so that costs no timer per request.
 * `now`: in milliseconds.
 */
export function createNodeTransport(now = () => performance.now()): Transport & { close(): Promise<void> } {
  const pools = new Map<number, Map<string, Connections>>()

  const poolFor = (origin: string, connectTimeout: number): Connections => {
    const known = pools.get(connectTimeout)?.get(origin)
    if (known) return known
    const pool = createPool(origin, connectTimeout)
    const alike = pools.get(connectTimeout) ?? new Map<string, Connections>()
    pools.set(connectTimeout, alike.set(origin, pool))
    return pool
  }

  // There are few addresses, used again and again, and parsing one costs as much as sending the request.
  const addresses = new Map<string, URL>()
  const parse = (text: string): URL => {
    const known = addresses.get(text)
    if (known) return known
    if (addresses.size > 1000) addresses.clear()
    const url = new URL(text)
    addresses.set(text, url)
    return url
  }

  /** Pools for one request each. */
  const spare = new Set<Connections>()

  /** Sends on a connection of its own: where one that was kept is dead, the others may be so too. */
  const sendAfresh = (url: URL, sending: Sending): Promise<UpstreamResponse> => {
    const pool = createPool(url.origin, sending.request.connectTimeout)
    spare.add(pool)
    const response = send(pool, url, sending)
    // Takes effect when the request is over.
    void pool.close().finally(() => spare.delete(pool))
    return response
  }

  /** Has later requests make connections of their own. Those that are under way end as they would. */
  const giveUp = (pool: Connections, { origin }: URL, connectTimeout: number): void => {
    const alike = pools.get(connectTimeout)
    if (alike?.get(origin) !== pool) return
    alike.delete(origin)
    spare.add(pool)
    void pool.close().finally(() => spare.delete(pool))
  }

  const transport: Transport = async (request, signal) => {
    const url = parse(request.url)
    if (request.rest)
      return await sendAfresh(url, { request, body: uploadOf(request), signal }).catch((error) => {
        throw unreachable(error, request)
      })
    const pool = poolFor(url.origin, request.connectTimeout)
    const sending = { request, body: payload(request.body), signal }
    const began = now()
    try {
      return await send(pool, url, sending)
    } catch (error) {
      // Some servers promise keep-alive and then close: the next request on that connection fails before any answer. One
      // that fails later may have been worked on, and billed: whoever tries again pays for both.
      if (!isDeadSocket(error) || now() - began > atOnce || signal.aborted) throw unreachable(error, request)
      // This one may have been worked on, too, which nobody can see. Where that is to be charged, it is a failure, and
      // another attempt is one of its own.
      if (request.isPaid) {
        giveUp(pool, url, request.connectTimeout)
        throw unreachable(error, request)
      }
      return await sendAfresh(url, sending).catch((again) => {
        throw unreachable(again, request)
      })
    }
  }
  const close = async () => {
    const all = [...pools.values()].flatMap((alike) => [...alike.values()])
    await Promise.all([...all, ...spare].map((pool) => pool.destroy()))
  }
  return Object.assign(transport, { close })
}

function createPool(origin: string, connectTimeout: number): Connections {
  return new Pool(origin, {
    // No limit: a stream keeps its connection for minutes, and a queued request would just wait in silence.
    connections: null,
    pipelining: 1,
    // The timeout layer handles timeouts; undici's own 300 s would cut off a model that thinks for long.
    bodyTimeout: 0,
    headersTimeout: 0,
    maxHeaderSize: 64 * 1024,
    connect: tellingConnector(connectTimeout),
  })
}

interface Sending extends Exchange {
  readonly body: Uint8Array | Pieces | AsyncIterable<Uint8Array>
}

function send(pool: Connections, url: URL, sending: Sending): Promise<UpstreamResponse> {
  const { request, body, signal } = sending
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const { method } = request
    const length = body instanceof Pieces ? body.length : request.rest && lengthOf(request)
    const headers = length === undefined ? request.headers : { ...request.headers, 'content-length': `${length}` }
    const bodiless = body instanceof Uint8Array && body.length === 0
    const options = { path: url.pathname + url.search, method, headers, body: bodiless ? null : body }
    pool.dispatch(options as Dispatcher.DispatchOptions, respondTo(resolve, reject, sending))
  })
}
