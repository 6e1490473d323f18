import { Block } from '../wire/block.ts'

/** Where bytes go: any number of chunks, then exactly one of `end` and `fail`. */
export interface ByteSink {
  chunk(bytes: Uint8Array): void
  end(): void
  fail(error: unknown): void
}

/** Looks at the opening of a source. Exactly one of these happens: `chunk` returns true, `end`, `fail`. */
export interface Looker {
  /** Returns true once it has seen enough. */
  chunk(bytes: Uint8Array): boolean
  end(): void
  fail(error: unknown): void
}

/** Bytes that are still coming. Nothing flows before somebody asks for it. */
export interface ByteSource {
  /** Shows the opening as it comes. All of it stays there for `pipe`, and nothing more flows before that. */
  peek(looker: Looker): void
  /** A second `pipe` hands what is left to another sink. */
  pipe(sink: ByteSink): void
  pause(): void
  resume(): void
  /** Stops the source at once; the sink hears no more. */
  cancel(reason: unknown): void
  /** All of it as one piece. Rejects with `tooLarge()` beyond `limit` bytes, and with what broke it. */
  collect(limit: number, tooLarge: () => unknown): Promise<Uint8Array>
}

export type Emit = (bytes: Uint8Array) => void

/**
 * A check or a translation of passing bytes: a plain function of chunks, the same on every runtime. What it throws
 * becomes the failure of the stream.
 */
export interface Stage {
  chunk(bytes: Uint8Array, emit: Emit): void
  /** The source ended. */
  end?(emit: Emit): void
  /** The source broke. Returning ends the stream after what was emitted; without this the failure passes on. */
  fail?(error: unknown, emit: Emit): void
  /** True once nothing more will be emitted: the source is then stopped, and the stream ends. */
  readonly over?: boolean
}

/** Looks on, in pieces of any size, and adds bytes at the end at most. */
export interface Watch {
  see(bytes: Uint8Array): void
  /** Returns what goes out last, if only nothing; then a stream that broke ends well. Undefined: it ends as it did. */
  ended?(ending: Ending): Uint8Array | undefined
}

/** How a stream came to its end. */
export interface Ending {
  /** What broke it. */
  readonly failure?: { readonly error: unknown }
  /** False where a watch could not see all of it. */
  readonly seen: boolean
}

/** What is done when a stream says nothing for a while. */
export interface Silence {
  readonly ms: number
  /** Looks in that time: a silence is noticed within a `looks`-th part more. */
  readonly looks: number
  /** Whether anything has come since it was asked last. */
  heard(): boolean
  /** Returns what goes out, if anything. */
  onSilence(): Uint8Array | undefined
}

/** Something that is done to a stream on its way to the client. Data: only the runtimes' edges run steps. */
export interface Step {
  /** Gets every chunk before it goes on. */
  readonly stage?: Stage
  /** Looks on: where there is no stage, or where `carried` is `watch` and the runtime carries the bytes. */
  readonly watch?: Watch
  readonly silence?: Silence
  /**
   * What becomes of the step where a runtime can carry a stream by itself, so that no code runs for a chunk. `never`: it
   * may not, the step needs every byte; `watch`: its watch looks on a little behind; `skip`: the step is left out.
   */
  readonly carried: 'never' | 'watch' | 'skip'
}

/** What a `Pump` may ask of the source that feeds it. */
export interface Feed {
  /** Somebody wants the bytes now. Called once. */
  start?(): void
  pause?(): void
  resume?(): void
  cancel(reason: unknown): void
}

/** Bytes that may wait in a pump before its feed is asked to pause. */
const highWater = 64 * 1024
/** Bytes up to which pieces that wait are put together. */
const joined = 16 * 1024

/**
 * The source of bytes that are pushed: by a socket, a reader loop, a model. Keeps what comes before somebody listens
 * and while the listener pauses, in order, and asks the feed to wait when that becomes much.
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

  /** From the feed: a chunk. */
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

  /** From the feed: that was all. */
  finish(): void {
    if (this.#outcome || this.#over) return
    this.#outcome = { failed: false }
    this.#settle()
  }

  /** From the feed: it broke. */
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

  /** Tells whoever is there of the end. */
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

/** `source` as `stage` translates it: what a provider's foreign wire becomes before anybody looks at it. */
export function translated(source: ByteSource, stage: Stage): ByteSource {
  const pump = new Pump({
    start: () => source.pipe(staged(stage, source, pumpSink(pump))),
    pause: () => source.pause(),
    resume: () => source.resume(),
    cancel: (reason) => source.cancel(reason),
  })
  return pump
}

/** The sink that has `stage` see what goes to `next`; `source` is stopped where the stage throws or is over. */
export function staged(stage: Stage, source: Pick<ByteSource, 'cancel'>, next: ByteSink): ByteSink {
  let over = false
  const emit: Emit = (bytes) => next.chunk(bytes)
  const broke = (error: unknown) => {
    if (over) return
    over = true
    if (!stage.fail) return next.fail(error)
    try {
      stage.fail(error, emit)
    } catch (again) {
      // Thrown further it would reach whoever brings the bytes, and could end the process.
      return next.fail(again)
    }
    next.end()
  }
  return {
    chunk(bytes) {
      if (over) return
      try {
        stage.chunk(bytes, emit)
      } catch (error) {
        source.cancel(error)
        return broke(error)
      }
      if (!stage.over) return
      over = true
      source.cancel('Nothing more is wanted.')
      next.end()
    },
    end() {
      if (over) return
      try {
        stage.end?.(emit)
      } catch (error) {
        return broke(error)
      }
      over = true
      next.end()
    },
    fail: broke,
  }
}

function pumpSink(pump: Pump): ByteSink {
  return {
    chunk: (bytes) => pump.push(bytes),
    end: () => pump.finish(),
    fail: (error) => pump.break(error),
  }
}

/** A source of chunks that are already there. */
export function sourceOf(chunks: readonly Uint8Array[]): ByteSource {
  const pump = new Pump({ cancel() {} })
  for (const bytes of chunks) pump.push(bytes)
  pump.finish()
  return pump
}

/** The source of an asynchronous producer, pulled no faster than its reader reads. */
export function sourceFrom(chunks: AsyncIterator<Uint8Array>): ByteSource {
  let paused = false
  let wake = () => {}
  let stopped = false
  const pump = new Pump({
    start: () => void run(),
    pause() {
      paused = true
    },
    resume() {
      paused = false
      wake()
    },
    cancel() {
      stopped = true
      wake()
      void chunks.return?.()
    },
  })
  const run = async () => {
    try {
      while (!stopped) {
        if (paused) {
          await new Promise<void>((resolve) => {
            wake = resolve
          })
          continue
        }
        const next = await chunks.next()
        if (next.done) return pump.finish()
        pump.push(next.value)
      }
    } catch (error) {
      pump.break(error)
    }
  }
  return pump
}

/** One piece of many; the only one is returned as it is. */
export function concat(chunks: readonly Uint8Array[], size = chunks.reduce((sum, { length }) => sum + length, 0)) {
  if (chunks.length === 1) return chunks[0] as Uint8Array
  const whole = new Uint8Array(size)
  let at = 0
  for (const bytes of chunks) {
    whole.set(bytes, at)
    at += bytes.length
  }
  return whole
}
