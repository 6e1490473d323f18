import type { Clock } from '../core/clock.ts'
import type { Signal } from '../core/signal.ts'
import type { ByteSource, Ending, Watch } from '../core/stream.ts'

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
/** Bytes a millisecond: a client that takes what is left more slowly is given up. */
const slowest = 16

/** A stream that is there twice: once for the client, once to look at. */
export interface Doubled {
  readonly whole: ReadableStream<Uint8Array>
  readonly copy: ByteSource
  /** Aborted when the attempt is over. */
  readonly signal: Signal
  readonly brokenOff: (error: unknown) => unknown
}

export interface CarryOptions {
  readonly clock: Clock
  readonly writeTimeout: number
}

/** Has the runtime itself carry a stream to a client, while `watches` see a copy of it now and then. */
export class Carrying {
  readonly #stream: Doubled
  readonly #watches: readonly Watch[]
  readonly #options: CarryOptions
  readonly #stop = new AbortController()
  /** Ends a wait. */
  #hurry = () => {}
  #hurried = false
  #resting = false
  #seenBytes = 0
  #seenAll = true

  constructor(stream: Doubled, watches: readonly Watch[], options: CarryOptions) {
    this.#stream = stream
    this.#watches = watches
    this.#options = options
  }

  /**
   * Resolves with how the stream ended; `writable` is then free again, and open unless its reader has left. Rejects when
   * the client takes nothing of it.
   */
  async run(writable: WritableStream<Uint8Array>): Promise<Ending> {
    const { whole, copy, signal, brokenOff } = this.#stream
    const ways = { preventClose: true, preventAbort: true, signal: this.#stop.signal }
    const carried = whole.pipeTo(writable, ways)
    const seen = this.#lookOn()
    let tooSlow = () => {}
    // It may fail before it is waited for.
    seen.then(
      () => {
        tooSlow = this.#limitRest()
      },
      () => {},
    )
    try {
      await carried
      this.#lookAtOnce()
      await seen
      return { seen: this.#seenAll }
    } catch (error) {
      if (this.#stop.signal.aborted) throw error
      this.#lookAtOnce()
      // Either the source broke, and the copy tells the same, or the reader did, and the copy would go on.
      await Promise.race([seen.catch(() => {}), this.#wait(patience)])
      this.#hurry()
      copy.cancel(error)
      return { seen: this.#seenAll, failure: { error: signal.aborted ? signal.reason : brokenOff(error) } }
    } finally {
      tooSlow()
    }
  }

  /** Resolves when the copy has come to its end, or enough of it was seen. */
  #lookOn(): Promise<void> {
    const { copy } = this.#stream
    return new Promise((resolve, reject) => {
      copy.pipe({
        chunk: (bytes) => {
          for (const watch of this.#watches) watch.see(bytes)
          this.#seenBytes += bytes.length
          if (this.#seenBytes > most) {
            this.#seenAll = false
            copy.cancel('Enough was seen.')
            resolve()
          } else if (bytes.length < full) this.#rest(copy)
        },
        end: resolve,
        fail: reject,
      })
      this.#rest(copy)
    })
  }

  /** All that is still to be carried is here: its upstream is done, and the client has its time to take the rest. */
  #limitRest(): () => void {
    if (!this.#seenAll) return () => {}
    const ms = this.#options.writeTimeout + this.#seenBytes / slowest
    return this.#options.clock.after(ms, () => this.#stop.abort(new Error('The client takes nothing.')))
  }

  /** Lets some time pass before the next look. */
  #rest(copy: ByteSource): void {
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
