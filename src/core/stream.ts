/** Where bytes go: any number of chunks, then exactly one of `end` and `fail`. */
export interface ByteSink {
  chunk(bytes: Uint8Array): void
  end(): void
  fail(error: unknown): void
  /**
   * Has the runtime itself carry the whole of a stream, so that no code runs for a chunk of it: on Workers that costs
   * more than everything else. Resolves when it is over, rejects when either side broke; `end` or `fail` follows, and
   * may be preceded by chunks. A sink that changes bytes, or a runtime that can't, has none.
   */
  carry?: ((whole: ReadableStream<Uint8Array>) => Promise<void>) | undefined
  /** Sees what is carried: some time after it went by, and in pieces of any size. No bytes: no more will be seen. */
  passed?: ((bytes: Uint8Array | undefined) => void) | undefined
}

/**
 * Bytes that are still coming. Nothing flows before `pipe`; a second `pipe` hands the rest to another sink, which is
 * how the gate looks at the opening of a stream and lets somebody else have it.
 */
export interface ByteStream {
  pipe(sink: ByteSink): void
  pause(): void
  resume(): void
  /** Stops the source at once; the sink hears no more. */
  cancel(reason: unknown): void
  /** Before `pipe`, where the runtime can carry: what is piped from now on is a copy, and all of it is still there. */
  fork?(): Fork | undefined
  /** All of it, for a runtime that can send it as it is; then nothing is piped. */
  readonly native?: ReadableStream<Uint8Array> | undefined
  /** All of it at once, in place of `pipe`, where the runtime does that for less and it is no more than `limit` bytes. */
  whole?(limit: number): Promise<Uint8Array> | undefined
}

/** A stream whose opening is read from a copy: it comes to its reader in one of these ways. */
export interface Fork {
  /** As it is; of the copy no more is read. */
  untouched(): ByteStream
  /** Carried to a sink that has `carry`, which sees `opening` pass and then what follows it in the copy. */
  carry(sink: ByteSink, opening: readonly Uint8Array[]): void
  /** From the copy. */
  cancel(reason: unknown): void
}

export type Emit = (bytes: Uint8Array) => void

/**
 * A look at, or a translation of, passing bytes: a plain function of chunks, the same on every runtime. What it
 * throws becomes the failure of the stream.
 */
export interface Stage {
  chunk(bytes: Uint8Array, emit: Emit): void
  /** The source ended. */
  end?(emit: Emit): void
  /** The source broke. Returning ends the stream after what was emitted; without this the failure passes on. */
  fail?(error: unknown, emit: Emit): void
  /** For a stage that can do with looking on while a stream is carried: as a sink's. */
  passed?(bytes: Uint8Array | undefined): void
}

/** `stream` as `stage` lets it through. */
export function through(stream: ByteStream, stage: Stage): ByteStream {
  return {
    pause: () => stream.pause(),
    resume: () => stream.resume(),
    cancel: (reason) => stream.cancel(reason),
    pipe(sink) {
      const emit: Emit = (bytes) => sink.chunk(bytes)
      const broke = (error: unknown) => {
        if (!stage.fail) return sink.fail(error)
        stage.fail(error, emit)
        sink.end()
      }
      stream.pipe({
        carry: stage.passed && sink.carry,
        passed(bytes) {
          stage.passed?.(bytes)
          sink.passed?.(bytes)
        },
        chunk(bytes) {
          try {
            stage.chunk(bytes, emit)
          } catch (error) {
            stream.cancel(error)
            broke(error)
          }
        },
        end() {
          try {
            stage.end?.(emit)
          } catch (error) {
            return broke(error)
          }
          sink.end()
        },
        fail: broke,
      })
    },
  }
}

/** What a `Pump` may ask of the source that feeds it. */
export interface Source {
  pause?(): void
  resume?(): void
  cancel(reason: unknown): void
}

/** Bytes that may wait in a pump before its source is asked to pause. */
const highWater = 64 * 1024

/**
 * The stream of a source that pushes: a socket, a reader loop, a model. Keeps what comes before somebody listens and
 * while the listener pauses, in order, and asks the source to wait when that becomes much.
 */
export class Pump implements ByteStream {
  readonly #source: Source
  #sink: ByteSink | undefined
  #waiting: Uint8Array[] = []
  #waitingBytes = 0
  #held = false
  #sourcePaused = false
  #outcome: { error?: unknown; failed: boolean } | undefined
  #over = false

  constructor(source: Source) {
    this.#source = source
  }

  /** From the source: a chunk. */
  push(bytes: Uint8Array): void {
    if (this.#over) return
    if (this.#sink && !this.#held && this.#waiting.length === 0) {
      this.#sink.chunk(bytes)
      return
    }
    this.#waiting.push(bytes)
    this.#waitingBytes += bytes.length
    if (this.#waitingBytes > highWater) this.#pauseSource()
  }

  /** From the source: that was all. */
  finish(): void {
    this.#outcome ??= { failed: false }
    this.#flush()
  }

  /** From the source: it broke. */
  break(error: unknown): void {
    this.#outcome ??= { error, failed: true }
    this.#flush()
  }

  /** Nothing waits, and nothing has ended: whatever the source has not told yet is all that there is. */
  get isEmpty(): boolean {
    return this.#waiting.length === 0 && !this.#outcome && !this.#over
  }

  pipe(sink: ByteSink): void {
    this.#sink = sink
    this.resume()
  }

  pause(): void {
    this.#held = true
    this.#pauseSource()
  }

  resume(): void {
    this.#held = false
    this.#flush()
    if (this.#held || !this.#sourcePaused) return
    this.#sourcePaused = false
    this.#source.resume?.()
  }

  cancel(reason: unknown): void {
    if (this.#over) return
    this.#over = true
    this.#waiting = []
    if (!this.#outcome) this.#source.cancel(reason)
  }

  #pauseSource(): void {
    if (this.#sourcePaused || this.#outcome) return
    this.#sourcePaused = true
    this.#source.pause?.()
  }

  #flush(): void {
    while (this.#sink && !this.#held && !this.#over && this.#waiting.length > 0) {
      const bytes = this.#waiting.shift() as Uint8Array
      this.#waitingBytes -= bytes.length
      this.#sink.chunk(bytes)
    }
    if (!this.#sink || !this.#outcome || this.#over || this.#held || this.#waiting.length > 0) return
    this.#over = true
    if (this.#outcome.failed) this.#sink.fail(this.#outcome.error)
    else this.#sink.end()
  }
}

/** A stream of chunks that are already there. */
export function streamOf(chunks: readonly Uint8Array[]): ByteStream {
  const pump = new Pump({ cancel() {} })
  for (const bytes of chunks) pump.push(bytes)
  pump.finish()
  return pump
}

/** The stream of an asynchronous producer, pulled no faster than its reader reads. */
export function streamFrom(chunks: AsyncIterator<Uint8Array>): ByteStream {
  let paused = false
  let wake = () => {}
  let stopped = false
  const pump = new Pump({
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
  void run()
  return pump
}

/** The whole of a stream as one piece. Rejects with `tooLarge()` beyond `limit` bytes, and with what broke it. */
export function collect(stream: ByteStream, limit: number, tooLarge: () => unknown): Promise<Uint8Array> {
  const whole = stream.whole?.(limit)
  if (whole) return whole
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = []
    let size = 0
    stream.pipe({
      chunk(bytes) {
        size += bytes.length
        if (size > limit) {
          stream.cancel('too large')
          return reject(tooLarge())
        }
        chunks.push(bytes)
      },
      end: () => resolve(concat(chunks, size)),
      fail: reject,
    })
  })
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
