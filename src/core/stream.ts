import type { StreamReader } from './stream-reader.ts'

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
 * Emitted between two pieces that a client should not get in one read: what follows it goes out `gapTime` later, to a
 * client that has most likely read what came before. It is empty, so that it is nothing to those who don't know it.
 */
export const gap: Uint8Array = new Uint8Array(0)
/** In milliseconds. */
export const gapTime = 100

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
  /**
   * Returns the last bytes to send, maybe none, `gap` among them; the stream then ends well, even a broken one.
   * Undefined: no change.
   */
  ended?(ending: Ending): readonly Uint8Array[] | undefined
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
  /** Has read, once the stream has ended, what its stage let pass. */
  readonly reader?: StreamReader
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
