import { Pump } from '../core/pump.ts'
import type { Signal } from '../core/signal.ts'
import { chunksOf } from '../core/sources.ts'
import type { ByteSink, ByteSource, Looker } from '../core/stream.ts'
import { lengthOf, type Transport, type UpstreamRequest } from '../core/transport.ts'
import { concat } from '../wire/block.ts'
import { GatewayError } from '../wire/errors.ts'
import type { Doubled } from './carrying.ts'
import { codingsOf, unknownCoding } from './encodings.ts'

/** Sends requests through `fetch`, the only HTTP client on Workers. */
export function createFetchTransport(send: typeof fetch): Transport {
  return async function transport(request, signal) {
    signal.throwIfAborted()
    // A real AbortSignal of our own: Workers ignore the incoming request's signal for subrequests.
    const abort = new AbortController()
    signal.addEventListener('abort', () => abort.abort(signal.reason))
    const response = await send(request.url, {
      method: request.method,
      headers: request.headers,
      ...bodyOf(request),
      redirect: 'manual',
      signal: abort.signal,
    }).catch((error: unknown) => {
      throw signal.aborted ? signal.reason : unreachable(error, request.name)
    })
    const headers: Record<string, string> = {}
    response.headers.forEach((value, name) => {
      headers[name] = value
    })
    return { status: response.status, headers, body: sourceOf(response, signal) }
  }
}

function bodyOf(request: UpstreamRequest): RequestInit {
  // Not every runtime's types know `duplex`, which Node asks for.
  if (request.rest) return { body: uploadOf(request), duplex: 'half' } as RequestInit
  const body = concat(request.body) as Uint8Array<ArrayBuffer>
  return body.length > 0 || request.method === 'POST' ? { body } : {}
}

declare const FixedLengthStream: (new (length: number) => TransformStream<Uint8Array, Uint8Array>) | undefined

/** A body that is still arriving. On Workers a length is announced only for a stream of this kind. */
function uploadOf(request: UpstreamRequest): ReadableStream<Uint8Array> {
  const length = lengthOf(request)
  const { readable, writable } =
    length !== undefined && typeof FixedLengthStream === 'function'
      ? new FixedLengthStream(length)
      : new TransformStream<Uint8Array, Uint8Array>()
  void pour(request, writable)
  return readable
}

/** A source that the runtime can read by itself, with no code for each chunk. */
export interface NativeSource extends ByteSource {
  native(): ReadableStream<Uint8Array> | undefined
}

/** Writes a body as it arrives. If that breaks off, so does the request. */
async function pour({ body, rest }: UpstreamRequest, writable: WritableStream<Uint8Array>): Promise<void> {
  const writer = writable.getWriter()
  try {
    for (const bytes of body) await writer.write(bytes)
    const native = rest && 'native' in rest.source ? (rest.source as NativeSource).native() : undefined
    if (native) {
      writer.releaseLock()
      await native.pipeTo(writable)
    } else {
      if (rest) for await (const bytes of chunksOf(rest.source)) await writer.write(bytes)
      await writer.close()
    }
    rest?.sent?.()
  } catch (error) {
    rest?.source.cancel(error)
    await writer.abort(error).catch(() => {})
  }
}

/** Codings that workerd decodes by itself, if they are the only one and in lower case. */
const undone = ['gzip', 'br']
export const formats = new Map<string, 'gzip' | 'deflate'>([
  ['gzip', 'gzip'],
  ['x-gzip', 'gzip'],
  ['deflate', 'deflate'],
])

/** The decoded body, even if the upstream compressed it without being asked to. */
function sourceOf(response: Response, signal: Signal): ByteSource {
  const encoding = response.headers.get('content-encoding')
  if (encoding === null || !response.body || undone.includes(encoding)) return new FetchSource(response, signal)
  const codings = codingsOf(encoding)
  const known = codings.map((coding) => formats.get(coding)).filter((format) => format !== undefined)
  if (known.length < codings.length) {
    void response.body.cancel().catch(() => {})
    throw unknownCoding()
  }
  const unpack = (body: ReadableStream, format: 'gzip' | 'deflate') => body.pipeThrough(new DecompressionStream(format))
  return pumpOf(known.reduce(unpack, response.body), signal)
}

/** A body that is not read until the caller chooses how: in chunks, all at once, or natively by the runtime. */
export class FetchSource implements ByteSource {
  readonly #response: Response
  readonly #signal: Signal
  /** The branch of the tee that the runtime can send by itself, while we read the opening from the other branch. */
  #whole: ReadableStream<Uint8Array> | undefined
  #pump: Pump | undefined

  constructor(response: Response, signal: Signal) {
    this.#response = response
    this.#signal = signal
  }

  peek(looker: Looker): void {
    if (!this.#pump) {
      const [whole, copy] = this.#response.body?.tee() ?? []
      this.#whole = whole
      this.#pump = pumpOf(copy, this.#signal)
    }
    this.#pump.peek(looker)
  }

  pipe(sink: ByteSink): void {
    this.#drop('It is read from the copy.')
    this.#pump ??= pumpOf(this.#response.body, this.#signal)
    this.#pump.pipe(sink)
  }

  collect(limit: number, tooLarge: () => unknown): Promise<Uint8Array> {
    if (this.#pump) {
      this.#drop('It is read from the copy.')
      return this.#pump.collect(limit, tooLarge)
    }
    // The runtime enforces the declared length, so we need not count. A compressed body declares the compressed length.
    const { headers } = this.#response
    const told = headers.has('content-encoding') ? Number.NaN : Number(headers.get('content-length') ?? Number.NaN)
    if (!(told <= limit)) {
      this.#pump = pumpOf(this.#response.body, this.#signal)
      return this.#pump.collect(limit, tooLarge)
    }
    return this.#response.arrayBuffer().then(
      (buffer) => new Uint8Array(buffer),
      (error) => {
        throw this.#signal.aborted ? this.#signal.reason : brokenOff(error)
      },
    )
  }

  pause(): void {
    this.#pump?.pause()
  }

  resume(): void {
    this.#pump?.resume()
  }

  cancel(reason: unknown): void {
    this.#drop(reason)
    if (this.#pump) this.#pump.cancel(reason)
    else void this.#response.body?.cancel(reason).catch(() => {})
  }

  /** The whole stream, after its opening was read, for the runtime to send unchanged. */
  native(): ReadableStream<Uint8Array> | undefined {
    const whole = this.#whole
    this.#whole = undefined
    if (whole) this.#pump?.cancel('Enough was seen.')
    return whole
  }

  /** The same, with a copy that also starts at the opening. */
  doubled(): Doubled | undefined {
    const whole = this.#whole
    this.#whole = undefined
    return whole && this.#pump && { whole, copy: this.#pump, signal: this.#signal, brokenOff }
  }

  #drop(reason: unknown): void {
    void this.#whole?.cancel(reason).catch(() => {})
    this.#whole = undefined
  }
}

export interface PumpOptions {
  /** Gets the reader when the stream is locked, which is when it is first read. */
  readonly locked?: (reader: ReadableStreamDefaultReader<Uint8Array>) => void
  /** What a failure of the stream is. The default is that of an upstream. */
  readonly failure?: (error: unknown) => unknown
}

/** A source of what a stream holds. */
export function pumpOf(
  body: ReadableStream<Uint8Array> | null | undefined,
  signal: Signal,
  { locked = () => {}, failure = brokenOff }: PumpOptions = {},
): Pump {
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined
  let wake: (() => void) | undefined
  let paused = false
  let over = false
  const onAbort = () => {
    pump.break(signal.reason)
    stop(signal.reason)
  }
  const stop = (reason: unknown) => {
    over = true
    wake?.()
    void (reader ?? body)?.cancel(reason).catch(() => {})
  }
  const run = async () => {
    while (reader && !over) {
      if (paused) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
        continue
      }
      const { done, value } = await reader.read()
      if (done) break
      pump.push(value)
    }
    if (!over) pump.finish()
  }
  const pump = new Pump({
    start() {
      reader = body?.getReader()
      if (reader) locked(reader)
      signal.addEventListener('abort', onAbort)
      // The client may have left after the response arrived and before it was read; no further event would come.
      if (signal.aborted) onAbort()
      run()
        .catch((error: unknown) => pump.break(signal.aborted ? signal.reason : failure(error)))
        .finally(() => signal.removeEventListener('abort', onAbort))
    },
    pause() {
      paused = true
    },
    resume() {
      paused = false
      wake?.()
    },
    cancel: stop,
  })
  return pump
}

export function unreachable(error: unknown, name: string): GatewayError {
  return new GatewayError('network', `${name} can't be reached.`, { cause: error })
}

function brokenOff(error: unknown): GatewayError {
  return new GatewayError('network', 'The connection to the upstream broke.', {
    cause: error,
    code: 'upstream_stream_truncated',
  })
}
