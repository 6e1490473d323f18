import type { Clock } from '../core/clock.ts'
import type { Signal } from '../core/signal.ts'
import type { ByteSink } from '../core/stream.ts'

/**
 * Milliseconds from one look at a carried stream to the next. Long, as every look enters the isolate twice; what goes
 * by meanwhile is kept.
 */
const pause = 250
/** Bytes that a read brings when more of them wait. */
const full = 4096
/** Milliseconds that a look on is given to come to the end of what was carried before it broke. */
const patience = 100

export interface CarryOptions {
  readonly signal: Signal
  readonly clock: Clock
  readonly brokenOff: (error: unknown) => unknown
}

/** A body whose rest the runtime itself carries to a sink, while a copy of it is looked at now and then. */
export class Carrying {
  readonly #copy: ReadableStreamDefaultReader<Uint8Array> | undefined
  readonly #sink: ByteSink
  readonly #options: CarryOptions
  /** Ends the wait for the next look. */
  #hurry = () => {}
  #hurried = false
  #over = false

  constructor(body: ReadableStream<Uint8Array>, sink: ByteSink, options: CarryOptions) {
    this.#sink = sink
    this.#options = options
    const [rest, copy] = sink.passed ? body.tee() : [body, undefined]
    this.#copy = copy?.getReader()
    void this.#run(rest)
  }

  /** The sink hears no more. What is carried ends by itself, with the one that it is carried to. */
  cancel(reason: unknown): void {
    this.#over = true
    this.#lookAtOnce()
    void this.#copy?.cancel(reason).catch(() => {})
  }

  async #run(rest: ReadableStream<Uint8Array>): Promise<void> {
    const { signal, brokenOff } = this.#options
    const seen = this.#lookOn()
    // It may fail before it is waited for.
    seen.catch(() => {})
    try {
      await this.#sink.carry?.(rest)
      this.#lookAtOnce()
      await seen
      if (!this.#over) this.#sink.end()
    } catch (error) {
      this.#lookAtOnce()
      // Either the source broke, and the copy tells the same, or the reader did, and the copy would go on.
      await Promise.race([seen.catch(() => {}), this.#wait(patience)])
      this.#hurry()
      if (this.#over) return
      this.cancel(error)
      this.#sink.fail(signal.aborted ? signal.reason : brokenOff(error))
    }
  }

  async #lookOn(): Promise<void> {
    while (this.#copy && !this.#over) {
      if (!this.#hurried) await this.#wait(pause)
      let bytes: Uint8Array
      do {
        const { done, value } = await this.#copy.read()
        if (done || this.#over) return
        bytes = value
        this.#sink.passed?.(bytes)
      } while (bytes.length >= full)
    }
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(ms, resolve)
      this.#hurry = () => {
        cancel()
        resolve()
      }
    })
  }

  #lookAtOnce(): void {
    this.#hurried = true
    this.#hurry()
  }
}
