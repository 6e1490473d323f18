import type { Duplex } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import type { buildConnector as Connect, Pool as Connections, Dispatcher } from 'undici'
import { chunksOf, Pump } from '../core/pump.ts'
import type { Signal } from '../core/signal.ts'
import type { ByteSource } from '../core/stream.ts'
import { lengthOf, type Transport, type UpstreamRequest, type UpstreamResponse } from '../core/transport.ts'
import { concat } from '../wire/block.ts'
import { GatewayError } from '../wire/errors.ts'
import { codingsOf, unknownCoding } from './encodings.ts'
import { buildConnector, Pool } from './undici.ts'

/**
 * Sends requests through undici's `dispatch`, the cheapest HTTP client on Node: upstream chunks go straight from the
 * socket into the stream, without a promise or a copy. One pool per origin and connect timeout, kept for the life of the
 * process: undici limits the making of a connection, whichever requests wait for it, so that costs no timer per request.
 */
export function createNodeTransport(): Transport & { close(): Promise<void> } {
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

  const transport: Transport = async (request, signal) => {
    const url = parse(request.url)
    if (request.rest)
      return await sendAfresh(url, { request, body: uploadOf(request), signal }).catch((error) => {
        throw unreachable(error, request)
      })
    const pool = poolFor(url.origin, request.connectTimeout)
    const sending = { request, body: payload(request.body), signal }
    try {
      return await send(pool, url, sending)
    } catch (error) {
      // Some servers promise keep-alive and then close: the next request on that connection fails before any answer.
      if (!isDeadSocket(error) || signal.aborted) throw unreachable(error, request)
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

interface Sending {
  readonly request: UpstreamRequest
  readonly body: Uint8Array | Pieces | AsyncIterable<Uint8Array>
  readonly signal: Signal
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

/** Maximum bytes of a body in pieces that is joined, to send it in one write. */
const oneWrite = 32 * 1024

/** A body in the form that undici accepts. */
function payload(pieces: UpstreamRequest['body']): Uint8Array | Pieces {
  const [first] = pieces
  if (first && pieces.length === 1) return first
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
  return length <= oneWrite ? concat(pieces, length) : new Pieces(joinSmall(pieces), length)
}

/** A body that is still arriving. It is sent on a connection of its own, since it can't be sent again. */
async function* uploadOf({ body, rest }: UpstreamRequest): AsyncGenerator<Uint8Array> {
  yield* body
  if (!rest) return
  yield* chunksOf(rest.source)
  rest.sent?.()
}

/** A large body that undici reads piece by piece, at the speed of the socket. */
class Pieces {
  readonly length: number
  readonly #pieces: readonly Uint8Array[]

  constructor(pieces: readonly Uint8Array[], length: number) {
    this.#pieces = pieces
    this.length = length
  }

  [Symbol.iterator](): Iterator<Uint8Array> {
    return this.#pieces[Symbol.iterator]()
  }
}

/** Maximum bytes of joined pieces; less is not worth a write of its own. */
const small = 4 * 1024

/** Joins small neighbouring pieces, so that there are fewer of them. */
function joinSmall(pieces: UpstreamRequest['body']): UpstreamRequest['body'] {
  const joined: Uint8Array[] = []
  for (const piece of pieces) {
    const last = joined.at(-1)
    if (last && last.length + piece.length <= small) joined[joined.length - 1] = concat([last, piece])
    else joined.push(piece)
  }
  return joined
}

/**
 * Turns undici's events for one request into a response and its stream. A plain object of functions: with a class here,
 * every request stayed in memory until the next full collection.
 */
function respondTo(
  resolve: (response: UpstreamResponse) => void,
  reject: (error: unknown) => void,
  sending: Sending,
): Dispatcher.DispatchHandler {
  const { signal } = sending
  let controller: Dispatcher.DispatchController | undefined
  let pump: Pump | undefined
  /** The first byte of the answer has arrived. */
  let begun = false
  /** Reports the abort at once, even without a socket; undici's own event comes later or not at all. */
  const abort = () => {
    const { reason } = signal
    if (pump) pump.break(reason)
    else reject(reason)
    controller?.abort(asError(reason))
  }
  signal.addEventListener('abort', abort, { once: true })
  return {
    onRequestStart(started) {
      controller = started
      if (signal.aborted) abort()
    },
    onResponseStarted() {
      begun = true
    },
    onResponseStart(started, status, headers) {
      if (status < 200) return
      pump = new Pump({
        pause: () => started.pause(),
        resume: () => started.resume(),
        cancel: (reason) => started.abort(asError(reason)),
      })
      const flat = flatten(headers)
      resolve({ status, headers: flat, body: decoded(pump, flat['content-encoding']) })
    },
    onResponseData(_, chunk) {
      pump?.push(chunk)
    },
    onResponseEnd() {
      signal.removeEventListener('abort', abort)
      pump?.finish()
    },
    onResponseError(_, error) {
      signal.removeEventListener('abort', abort)
      const reason = signal.aborted ? signal.reason : error
      if (pump) pump.break(signal.aborted ? reason : brokenOff(error))
      else reject(begun ? unreachable(reason, sending.request) : reason)
    },
  }
}

function flatten(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const flat: Record<string, string> = {}
  for (const name in headers) {
    const value = headers[name]
    if (value !== undefined) flat[name] = typeof value === 'string' ? value : value.join(', ')
  }
  return flat
}

const decoders = new Map<string, () => Duplex>([
  ['gzip', createGunzip],
  ['x-gzip', createGunzip],
  ['deflate', createInflate],
  ['br', createBrotliDecompress],
])

/** The decoded body, if the upstream compressed it without being asked to. */
function decoded(body: ByteSource, encoding: string | undefined): ByteSource {
  if (encoding === undefined) return body
  const codings = codingsOf(encoding)
  const known = codings.map((coding) => decoders.get(coding)).filter((decoder) => decoder !== undefined)
  if (known.length === codings.length) return known.reduce((source, create) => through(create(), source), body)
  body.cancel('unknown encoding')
  const pump = new Pump({ cancel() {} })
  pump.break(unknownCoding())
  return pump
}

function through(decoder: Duplex, body: ByteSource): ByteSource {
  const pump = new Pump({
    pause: () => decoder.pause(),
    resume: () => decoder.resume(),
    cancel(reason) {
      body.cancel(reason)
      decoder.destroy()
    },
  })
  decoder.on('data', (bytes: Uint8Array) => pump.push(bytes))
  decoder.on('end', () => pump.finish())
  decoder.on('error', (error) => {
    pump.break(brokenOff(error))
    body.cancel(error)
  })
  decoder.on('drain', () => body.resume())
  body.pipe({
    chunk(bytes) {
      if (!decoder.write(bytes)) body.pause()
    },
    end: () => decoder.end(),
    fail: (error) => pump.break(error),
  })
  return pump
}

/** Adds the socket's byte counts to the error of a reset connection; undici does so for closed ones only. */
function tellingConnector(timeout: number): Connect.connector {
  const connect = buildConnector({ timeout })
  return (options, callback) =>
    connect(options, (...outcome) => {
      const socket = outcome[1]
      socket?.on('error', (error) => {
        Object.assign(error, { socket: { bytesRead: socket.bytesRead, bytesWritten: socket.bytesWritten } })
      })
      callback(...outcome)
    })
}

/**
 * Whether a connection that was kept died under a request before a byte of the answer: all that was ever read from it
 * belongs to earlier ones.
 */
function isDeadSocket(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { code, socket } = error as Error & { code?: string; socket?: { bytesRead?: number } }
  return ['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'].includes(code ?? '') && (socket?.bytesRead ?? 0) > 0
}

function unreachable(error: unknown, { name, connectTimeout }: UpstreamRequest): unknown {
  if (error instanceof GatewayError) return error
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
  if (code === 'UND_ERR_CONNECT_TIMEOUT') {
    const message = `${name} did not accept a connection within ${connectTimeout / 1000} seconds.`
    return new GatewayError('network', message, { cause: error })
  }
  // Errors of undici's parser and its header limits: there was an answer, but not valid HTTP.
  if (
    /^(HPE_|UND_ERR_HEADERS|UND_ERR_RES|ERR_ASSERTION)/.test(code) ||
    (error instanceof Error && error.name === 'HTTPParserError')
  ) {
    return new GatewayError('protocol', `${name} did not answer in valid HTTP.`, { cause: error })
  }
  return new GatewayError('network', `${name} can't be reached (${code || 'no connection'}).`, {
    cause: error,
  })
}

function brokenOff(error: Error & { code?: unknown }): GatewayError {
  const stopped = error.code === 'UND_ERR_DESTROYED'
  const message = stopped ? 'The gateway was stopped.' : 'The connection to the upstream broke.'
  return new GatewayError('network', message, { cause: error, code: 'upstream_stream_truncated' })
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason))
}
