import type { Ending, Watch } from '../core/stream.ts'
import { errorEnvelope, type FailureKind, GatewayError } from '../wire/errors.ts'
import { HalfEvent } from '../wire/half-event.ts'
import { eventBound } from '../wire/sse.ts'
import { afterHalf } from '../wire/unfinished.ts'

/** Why the gateway itself ends an answer that somebody still waits for. */
const own: ReadonlySet<FailureKind> = new Set(['stopping', 'timeout'] as const)

/**
 * Ends an event stream of any kind with an error event where the gateway ends it. What the upstream breaks stays broken,
 * as it came.
 */
export class EndedEarly implements Watch {
  readonly #half = new HalfEvent()

  see(bytes: Uint8Array): void {
    this.#half.add(bytes)
    // Longer than an event may be: then its line can't be put right any more.
    if (this.#half.size > eventBound) this.#half.take()
  }

  ended({ failure, seen }: Ending): readonly Uint8Array[] | undefined {
    const error = failure?.error
    if (!(error instanceof GatewayError) || !own.has(error.kind)) return undefined
    const half = this.#half.take()
    return [afterHalf(seen ? half : new Uint8Array(0), errorEnvelope(error))]
  }
}
