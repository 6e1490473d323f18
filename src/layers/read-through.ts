import type { StreamBody } from '../core/answer.ts'
import { staged } from '../core/stages.ts'
import type { ByteSink, Stage } from '../core/stream.ts'

/** Reads a stream through its steps, as a runtime would, except for their silences and what they do when it is over. */
export function readThrough({ source, steps }: StreamBody, sink: ByteSink): void {
  let outer = sink
  for (const { stage, watch } of steps.toReversed()) {
    const watching: Stage = {
      chunk(bytes, emit) {
        watch?.see(bytes)
        emit(bytes)
      },
    }
    outer = staged(stage ?? watching, source, outer)
  }
  source.pipe(outer)
}
