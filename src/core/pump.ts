import { Block } from '../wire/block.ts'
import type { ByteSink, ByteSource, Looker } from './stream.ts'

/** What a `Pump` may request of the source that feeds it. */
export interface Feed {
  /** The bytes are wanted now. Called once. */
  start?(): void
  pause?(): void
  resume?(): void
  cancel(reason: unknown): void
}

/** Bytes that may be buffered in a pump before its feed is asked to pause. */
const highWater = 64 * 1024
/** Buffered pieces are joined up to this many bytes. */
const joined = 16 * 1024

/**
 * A source whose bytes are pushed: by a socket, a reader loop, a model. Buffers, in order, what arrives before there is
 * a listener and while the listener is paused, and asks the feed to pause when the buffer gets large.
 */
export class Pump implements ByteSource {
  readonly #feed: Feed
  #started = false
  #looker: Looker | undefined
  #sink: ByteSink | undefined
  #waiting: Block[] = []
  #waitingBytes = 0
  #held = false
  #feedPaused = false
  #outcome: { error?: unknown; failed: boolean } | undefined
  #over = false

  constructor(feed: Feed) {
    this.#feed = feed
  }

  /** The feed calls this with each chunk. */
  push(bytes: Uint8Array): void {
    if (this.#over) return
    if (this.#sink && !this.#held && this.#waiting.length === 0) {
      this.#sink.chunk(bytes)
      return
    }
    this.#keep(bytes)
    if (this.#looker) {
      if (this.#looker.chunk(bytes)) this.#endLook()
    } else if (this.#waitingBytes > highWater) this.#pauseFeed()
  }

  /** The feed calls this at the end. */
  finish(): void {
    if (this.#outcome || this.#over) return
    this.#outcome = { failed: false }
    this.#settle()
  }

  /** The feed calls this if it fails. */
  break(error: unknown): void {
    if (this.#outcome || this.#over) return
    this.#outcome = { error, failed: true }
    this.#settle()
  }

  peek(looker: Looker): void {
    this.#start()
    this.#looker = looker
    for (const block of this.#waiting) {
      if (!looker.chunk(block.bytes)) continue
      this.#endLook()
      return
    }
    if (this.#outcome) this.#settle()
    else this.#resumeFeed()
  }

  pipe(sink: ByteSink): void {
    this.#start()
    this.#looker = undefined
    this.#sink = sink
    this.resume()
  }

  collect(limit: number, tooLarge: () => unknown): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const block = new Block(limit)
      this.pipe({
        chunk: (bytes) => {
          if (block.size + bytes.length > limit) {
            this.cancel('too large')
            reject(tooLarge())
          } else block.add(bytes)
        },
        end: () => resolve(block.take()),
        fail: reject,
      })
    })
  }

  pause(): void {
    this.#held = true
    this.#pauseFeed()
  }

  resume(): void {
    this.#held = false
    this.#flush()
    if (!this.#held) this.#resumeFeed()
  }

  cancel(reason: unknown): void {
    if (this.#over) return
    this.#over = true
    this.#waiting = []
    if (!this.#outcome) this.#feed.cancel(reason)
  }

  #start(): void {
    if (this.#started) return
    this.#started = true
    this.#feed.start?.()
  }

  #keep(bytes: Uint8Array): void {
    const last = this.#waiting.at(-1)
    if (last && last.size + bytes.length <= joined) last.add(bytes)
    else {
      const block = new Block()
      block.add(bytes)
      this.#waiting.push(block)
    }
    this.#waitingBytes += bytes.length
  }

  #endLook(): void {
    this.#looker = undefined
    this.pause()
  }

  /** Reports the end to the looker or the sink. */
  #settle(): void {
    const looker = this.#looker
    this.#looker = undefined
    if (!looker) this.#flush()
    else if (this.#outcome?.failed) looker.fail(this.#outcome.error)
    else looker.end()
  }

  #pauseFeed(): void {
    if (this.#feedPaused || this.#outcome) return
    this.#feedPaused = true
    this.#feed.pause?.()
  }

  #resumeFeed(): void {
    if (!this.#feedPaused) return
    this.#feedPaused = false
    this.#feed.resume?.()
  }

  #flush(): void {
    while (this.#sink && !this.#held && !this.#over && this.#waiting.length > 0) {
      const bytes = (this.#waiting.shift() as Block).take()
      this.#waitingBytes -= bytes.length
      this.#sink.chunk(bytes)
    }
    if (!this.#sink || !this.#outcome || this.#over || this.#held || this.#waiting.length > 0) return
    this.#over = true
    if (this.#outcome.failed) this.#sink.fail(this.#outcome.error)
    else this.#sink.end()
  }
}
