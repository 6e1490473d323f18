import { Block } from '../wire/block.ts'

/** Receives bytes: any number of chunks, then exactly one of `end` and `fail`. */
export interface ByteSink {
  chunk(bytes: Uint8Array): void
  end(): void
  fail(error: unknown): void
}

/** Inspects the opening of a source. Exactly one of these happens: `chunk` returns true, `end`, `fail`. */
export interface Looker {
  /** Returns true when it has seen enough. */
  chunk(bytes: Uint8Array): boolean
  end(): void
  fail(error: unknown): void
}

/** A stream of bytes. Nothing flows until somebody reads it. */
export interface ByteSource {
  /**
   * Shows the opening as it arrives and keeps it for `pipe`. Then nothing more flows until `pipe` is called. A second
   * `peek` starts at the opening again.
   */
  peek(looker: Looker): void
  /** A second `pipe` sends the remaining bytes to another sink. */
  pipe(sink: ByteSink): void
  pause(): void
  resume(): void
  /** Stops the source at once; the sink is not called again. */
  cancel(reason: unknown): void
  /** All bytes in one piece. Rejects with `tooLarge()` beyond `limit` bytes, or with the error of the source. */
  collect(limit: number, tooLarge: () => unknown): Promise<Uint8Array>
}

export type Emit = (bytes: Uint8Array) => void

/**
 * Checks or translates the bytes that pass: a plain function of chunks, the same on every runtime. If it throws, the
 * stream fails with that error.
 */
export interface Stage {
  chunk(bytes: Uint8Array, emit: Emit): void
  /** The source ended. */
  end?(emit: Emit): void
  /** The source failed. If this returns, the stream ends after what was emitted; without it the failure passes on. */
  fail?(error: unknown, emit: Emit): void
  /** True if nothing more will be emitted: the source is then cancelled, and the stream ends. */
  readonly over?: boolean
  /** With `over`: the source has said everything, so it may end by itself, which keeps its connection. */
  readonly complete?: boolean
}

/** Observes a stream, in pieces of any size, and can only add bytes at its end. */
export interface Watch {
  see(bytes: Uint8Array): void
  /** Returns the last bytes to send, maybe none; the stream then ends well, even a broken one. Undefined: no change. */
  ended?(ending: Ending): Uint8Array | undefined
  /** True once the stream has said everything: its end need not be waited for. */
  readonly complete?: boolean
}

/** How a stream ended. */
export interface Ending {
  /** The error that broke it. */
  readonly failure?: { readonly error: unknown }
  /** False if a watch could not see all of it. */
  readonly seen: boolean
}

/** What to do when a stream is silent for a while. */
export interface Silence {
  readonly ms: number
  /** Checks per `ms`: a silence is noticed at most `ms / looks` late. */
  readonly looks: number
  /** Whether anything has arrived since the last call. */
  heard(): boolean
  /** Returns the bytes to send, if any. */
  onSilence(): Uint8Array | undefined
}

/** Something that is applied to a stream on its way to the client. Data: only the runtimes' entry code runs steps. */
export interface Step {
  /** Gets every chunk before it is sent on. */
  readonly stage?: Stage
  /** Observes the stream if there is no stage, or if `carried` is `watch` and the runtime forwards the bytes. */
  readonly watch?: Watch
  readonly silence?: Silence
  /** Called once when the stream is over, for whatever reason: it ended, broke, was stopped, or its client left. */
  readonly over?: () => void
  /**
   * What becomes of the step if a runtime can forward a stream by itself, with no code for each chunk. `never`: it may
   * not, the step needs every byte; `watch`: its watch follows shortly behind; `skip`: the step is left out.
   */
  readonly carried: 'never' | 'watch' | 'skip'
}

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

/** `source` translated by `stage`: from a provider's own format, before anything else reads it. */
export function translated(source: ByteSource, stage: Stage): ByteSource {
  const pump = new Pump({
    start: () => source.pipe(staged(stage, source, pumpSink(pump))),
    pause: () => source.pause(),
    resume: () => source.resume(),
    cancel: (reason) => source.cancel(reason),
  })
  return pump
}

/** A sink that passes everything through `stage` to `next`; cancels `source` if the stage throws or is over. */
export function staged(stage: Stage, source: StagedSource, next: ByteSink): ByteSink {
  let over = false
  const emit: Emit = (bytes) => next.chunk(bytes)
  const broke = (error: unknown) => {
    if (over) return
    over = true
    if (!stage.fail) return next.fail(error)
    try {
      stage.fail(error, emit)
    } catch (again) {
      // If thrown, it would reach the code that delivers the bytes and could end the process.
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
      if (stage.complete && source.settle) source.settle()
      else source.cancel('Nothing more is wanted.')
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

export interface StagedSource {
  cancel(reason: unknown): void
  /** Lets the source come to its end, within a time. */
  settle?(): void
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

/** A source for an asynchronous producer, which is read no faster than the consumer reads. */
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

/** Joins chunks into one; a single chunk is returned as it is. */
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
