import type { Clock } from '../core/clock.ts'
import type { Signal } from '../core/signal.ts'
import type { ByteSink, ByteStream } from '../core/stream.ts'

/**
 * Milliseconds from one look at a carried stream to the next. Long, as every look enters the isolate twice; what goes
 * by meanwhile is kept.
 */
const interval = 250
/** Bytes that a read brings when more of them wait. */
const full = 4096
/** Milliseconds in which the copy of a stream that broke may come to the same end. */
const patience = 100

/** What is carried, and to whom. */
export interface Cargo {
  readonly whole: ReadableStream<Uint8Array>
  readonly copy: ByteStream
  /** What has been read of the copy so far. */
  readonly opening: readonly Uint8Array[]
  readonly sink: ByteSink
}

export interface CarryOptions {
  readonly signal: Signal
  readonly clock: Clock
  readonly brokenOff: (error: unknown) => unknown
}

/** A stream that the runtime itself carries to a sink, while a copy of it is looked at now and then. */
export class Carrying {
  readonly #cargo: Cargo
  readonly #options: CarryOptions
  /** Ends a wait. */
  #hurry = () => {}
  #hurried = false
  #over = false

  constructor(cargo: Cargo, options: CarryOptions) {
    this.#cargo = cargo
    this.#options = options
    void this.#run()
  }

  /** The sink hears no more. What is carried ends by itself, with the one that it is carried to. */
  stop(): void {
    this.#over = true
    this.#lookAtOnce()
  }

  async #run(): Promise<void> {
    const { whole, copy, sink } = this.#cargo
    const { signal, brokenOff } = this.#options
    const carried = sink.carry?.(whole)
    const seen = this.#lookOn()
    // It may fail before it is waited for.
    seen.catch(() => {})
    try {
      await carried
      this.#lookAtOnce()
      await seen
      if (!this.#over) sink.end()
    } catch (error) {
      this.#lookAtOnce()
      // Either the source broke, and the copy tells the same, or the reader did, and the copy would go on.
      await Promise.race([seen.catch(() => {}), this.#wait(patience)])
      this.#hurry()
      if (this.#over) return
      this.#over = true
      copy.cancel(error)
      sink.fail(signal.aborted ? signal.reason : brokenOff(error))
    }
  }

  /** Resolves when the copy has come to its end. */
  #lookOn(): Promise<void> {
    const { sink, opening, copy } = this.#cargo
    const { passed } = sink
    if (!passed) {
      copy.cancel('Nobody looks.')
      return Promise.resolve()
    }
    for (const bytes of opening) passed(bytes)
    return new Promise((resolve, reject) => {
      const rest = () => {
        if (this.#hurried) return
        copy.pause()
        void this.#wait(interval).then(() => copy.resume())
      }
      copy.pipe({
        chunk(bytes) {
          passed(bytes)
          if (bytes.length < full) rest()
        },
        end: resolve,
        fail: reject,
      })
      rest()
    })
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
