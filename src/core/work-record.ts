import type { GatewayError } from '../wire/errors.ts'
import type { Answer } from './answer.ts'
import type { Signal } from './signal.ts'

/** A request whose work may outlast its answer. */
export interface WorkRecord {
  /** Not the answer that comes next is the end of it, but that of its work. */
  goesOn(): void
  /** Follows the answer to its work to the end. `wanted`: aborted when nobody wants it any more. */
  followWork(answer: Answer, wanted: Signal): Answer
  failed(failure: GatewayError): void
}
