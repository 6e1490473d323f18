import { Abort } from '../core/signal.ts'
import type { ByteSink, Looker } from '../core/stream.ts'
import type { NativeSource } from './fetch-source.ts'
import { pumpOf } from './stream-pump.ts'

/** A request's body on Workers: read in chunks by our code, or natively by the runtime, also from the middle on. */
export class RequestSource implements NativeSource {
  readonly #body: ReadableStream<Uint8Array> | null
  readonly #pump: ReturnType<typeof pumpOf>
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined
  #paused = true

  /** `failure`: what it means if the body can't be read. */
  constructor(body: ReadableStream<Uint8Array> | null, failure: (error: unknown) => unknown) {
    this.#body = body
    const locked = (reader: ReadableStreamDefaultReader<Uint8Array>) => {
      this.#reader = reader
    }
    this.#pump = pumpOf(body, new Abort(), { locked, failure })
  }

  peek(looker: Looker): void {
    this.#paused = false
    this.#pump.peek(looker)
  }

  pipe(sink: ByteSink): void {
    this.#paused = false
    this.#pump.pipe(sink)
  }

  pause(): void {
    this.#paused = true
    this.#pump.pause()
  }

  resume(): void {
    this.#paused = false
    this.#pump.resume()
  }

  cancel(reason: unknown): void {
    this.#pump.cancel(reason)
  }

  collect(limit: number, tooLarge: () => unknown): Promise<Uint8Array> {
    this.#paused = false
    return this.#pump.collect(limit, tooLarge)
  }

  /** What has not been read yet. Only while the source is paused: then no read is running. */
  native(): ReadableStream<Uint8Array> | undefined {
    if (!this.#body || !this.#paused) return undefined
    this.#reader?.releaseLock()
    return this.#body
  }
}
