import type { Clock } from '../core/clock.ts'
import type { Signal } from '../core/signal.ts'
import { settleTime } from '../core/stages.ts'
import type { ByteSource, Ending, Watch } from '../core/stream.ts'

/**
 * Milliseconds between two reads of the copy. Long, because each read enters the isolate twice; the bytes that pass in
 * between are buffered.
 */
const interval = 250
/** Size of a read, in bytes, when more data is waiting. */
const full = 4096
/**
 * How many bytes of a stream are inspected. Reading the copy also pulls the source, and the runtime buffers that for a
 * slow client. No real text answer is longer than this, and an endless one must not fill the isolate's memory.
 */
const most = 4 * 1024 * 1024
/** Milliseconds to wait for the copy to end too after the stream broke. */
const patience = 100
/** Bytes per millisecond. A client that takes the rest more slowly is disconnected. */
const slowest = 16

/** A stream in two branches: one for the client, one to inspect. */
export interface Doubled {
  readonly whole: ReadableStream<Uint8Array>
  readonly copy: ByteSource
  /** Aborted when the attempt ends. */
  readonly signal: Signal
  readonly brokenOff: (error: unknown) => unknown
}

export interface CarryOptions {
  readonly clock: Clock
  readonly writeTimeout: number
}

/** Lets the runtime itself pipe a stream to a client, while `watches` read a copy of it at intervals. */
export class Carrying {
  readonly #stream: Doubled
  readonly #watches: readonly Watch[]
  readonly #options: CarryOptions
  readonly #stop = new AbortController()
  /** Ends the current wait early. */
  #hurry = () => {}
  #hurried = false
  #resting = false
  #seenBytes = 0
  #seenAll = true
  #settled: (() => void) | undefined
  #saidAll = false

  constructor(stream: Doubled, watches: readonly Watch[], options: CarryOptions) {
    this.#stream = stream
    this.#watches = watches
    this.#options = options
  }

  /**
   * Resolves with how the stream ended. `writable` is then unlocked, and still open unless its reader has left. Rejects
   * when the client reads nothing, and then aborts `writable`.
   */
  async run(writable: WritableStream<Uint8Array>): Promise<Ending> {
    const { whole, copy, signal, brokenOff } = this.#stream
    // Canceled below instead: that of one branch takes until the other one is over too, and nobody is to wait for it.
    const ways = { preventClose: true, preventAbort: true, preventCancel: true, signal: this.#stop.signal }
    const carried = whole.pipeTo(writable, ways)
    carried.catch(() => {})
    const seen = this.#lookOn()
    let tooSlow = () => {}
    // Handled here because it may reject before it is awaited.
    seen.then(
      () => {
        tooSlow = this.#limitRest()
      },
      () => {},
    )
    try {
      // A pipe that was told to stop first waits for what the client is to take, and it takes nothing.
      await Promise.race([carried, aborted(this.#stop.signal)])
      this.#lookAtOnce()
      await seen
      return { seen: this.#seenAll }
    } catch (error) {
      void whole.cancel(error).catch(() => {})
      if (this.#saidAll) {
        copy.cancel(error)
        // What has been written already is the client's to take first.
        await Promise.race([carried.catch(() => {}), this.#wait(this.#options.writeTimeout)])
        this.#hurry()
        return { seen: true }
      }
      if (this.#stop.signal.aborted) {
        copy.cancel(error)
        // The pipe holds the writable until then.
        void carried.catch(() => writable.abort(error)).catch(() => {})
        throw error
      }
      this.#lookAtOnce()
      // Either the source broke, and the copy fails the same way, or the client left, and the copy would continue.
      await Promise.race([seen.catch(() => {}), this.#wait(patience)])
      this.#hurry()
      copy.cancel(error)
      return { seen: this.#seenAll, failure: { error: signal.aborted ? signal.reason : brokenOff(error) } }
    } finally {
      tooSlow()
      this.#settled?.()
    }
  }

  /** Resolves when the copy ends or enough of it was read. */
  #lookOn(): Promise<void> {
    const { copy } = this.#stream
    if (this.#watches.length === 0) {
      this.#seenAll = false
      copy.cancel('Nobody looks.')
      return Promise.resolve()
    }
    return new Promise((resolve, reject) => {
      copy.pipe({
        chunk: (bytes) => {
          for (const watch of this.#watches) watch.see(bytes)
          this.#seenBytes += bytes.length
          if (this.#watches.some(({ complete }) => complete)) this.#settle()
          if (this.#seenBytes > most) {
            this.#seenAll = false
            copy.cancel('Enough was seen.')
            resolve()
          } else if (bytes.length < full) this.#rest(copy)
        },
        end: () => {
          this.#settled?.()
          resolve()
        },
        fail: reject,
      })
      this.#rest(copy)
    })
  }

  /** Gives a stream that has said everything a moment to end. Some servers keep the connection open. */
  #settle(): void {
    this.#settled ??= this.#options.clock.after(settleTime, () => {
      this.#saidAll = true
      this.#stop.abort(new Error('It has said everything.'))
    })
  }

  /** Called when the upstream has sent everything: limits the time that the client has to take the rest. */
  #limitRest(): () => void {
    if (!this.#seenAll) return () => {}
    const ms = this.#options.writeTimeout + this.#seenBytes / slowest
    return this.#options.clock.after(ms, () => this.#stop.abort(new Error('The client takes nothing.')))
  }

  /** Pauses the copy until the next read. */
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

/** Rejects when the signal aborts. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason))
  })
}
