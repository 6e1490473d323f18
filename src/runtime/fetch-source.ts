import type { Pump } from '../core/pump.ts'
import type { Signal } from '../core/signal.ts'
import type { ByteSink, ByteSource, Looker } from '../core/stream.ts'
import type { Doubled } from './carrying.ts'
import { codingsOf, unknownCoding } from './encodings.ts'
import { brokenOff, pumpOf } from './stream-pump.ts'

/** A source that the runtime can read by itself, with no code for each chunk. */
export interface NativeSource extends ByteSource {
  native(): ReadableStream<Uint8Array> | undefined
}

/** Codings that workerd decodes by itself, if they are the only one and in lower case. */
const undone = ['gzip', 'br']
export const formats = new Map<string, 'gzip' | 'deflate'>([
  ['gzip', 'gzip'],
  ['x-gzip', 'gzip'],
  ['deflate', 'deflate'],
])

/** The decoded body, even if the upstream compressed it without being asked to. */
export function fetchSource(response: Response, signal: Signal): ByteSource {
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
