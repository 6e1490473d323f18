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
/**
 * Bytes of a stream that are looked at. The copy pulls its source along, and the runtime keeps for a slow client what
 * that brings: an answer of more than so much text is none, and an endless one must not fill the isolate.
 */
const most = 4 * 1024 * 1024
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
  #resting = false
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

  /** Resolves when the copy has come to its end, or enough of it was seen. */
  #lookOn(): Promise<void> {
    const { sink, opening, copy } = this.#cargo
    for (const bytes of opening) sink.passed?.(bytes)
    let seen = 0
    return new Promise((resolve, reject) => {
      copy.pipe({
        chunk: (bytes) => {
          sink.passed?.(bytes)
          seen += bytes.length
          if (seen > most) {
            copy.cancel('Enough was seen.')
            sink.passed?.(undefined)
            resolve()
          } else if (bytes.length < full) this.#rest(copy)
        },
        end: resolve,
        fail: reject,
      })
      this.#rest(copy)
    })
  }

  /** Lets some time pass before the next look. */
  #rest(copy: ByteStream): void {
    if (this.#hurried || this.#resting) return
    this.#resting = true
    copy.pause()
    void this.#wait(interval).then(() => {
      this.#resting = false
      copy.resume()
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
