import type { StreamBody } from '../core/answer.ts'
import { type StagedSource, staged } from '../core/stages.ts'
import type { ByteSink, Silence, Stage, Step } from '../core/stream.ts'

/**
 * Reads a stream through its steps, as a runtime would, except for their silences and what they do when it is over.
 * `stopped`: what stops it when a step has seen enough, its source by itself.
 */
export function readThrough({ source, steps }: StreamBody, sink: ByteSink, stopped: StagedSource = source): void {
  let outer = sink
  for (const step of steps.toReversed()) outer = staged(stageOf(step), stopped, outer)
  source.pipe(outer)
}

export function silenceOf(stream: StreamBody | undefined): Silence | undefined {
  return stream?.steps.find(({ silence }) => silence)?.silence
}

/** A step as a stage, also if it only watches. */
function stageOf({ stage, watch }: Step): Stage {
  if (stage) return stage
  return {
    chunk(bytes, emit) {
      watch?.see(bytes)
      emit(bytes)
    },
  }
}
