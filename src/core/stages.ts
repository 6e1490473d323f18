import { Pump } from './pump.ts'
import type { ByteSink, ByteSource, Emit, Stage } from './stream.ts'

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

/** Two stages as one: the second gets what the first emits. */
export function chain(first: Stage, second: Stage): Stage {
  const fail = first.fail?.bind(first)
  return {
    get over() {
      return Boolean(first.over || second.over)
    },
    chunk: (bytes, emit) => first.chunk(bytes, (piece) => second.chunk(piece, emit)),
    end(emit) {
      first.end?.((piece) => second.chunk(piece, emit))
      second.end?.(emit)
    },
    ...(fail && {
      fail(error: unknown, emit: Emit) {
        fail(error, (piece) => second.chunk(piece, emit))
        second.end?.(emit)
      },
    }),
  }
}
/** Milliseconds in which a source that has said everything may end, which keeps its connection. Some never end. */
export const settleTime = 1_000

export interface StagedSource {
  cancel(reason: unknown): void
  /** Lets the source come to its end, within `settleTime`. */
  settle?(): void
}

function pumpSink(pump: Pump): ByteSink {
  return {
    chunk: (bytes) => pump.push(bytes),
    end: () => pump.finish(),
    fail: (error) => pump.break(error),
  }
}
