import type { JsonObject } from '../wire/json.ts'
import type { Call } from './call.ts'

/** Keeps what is told of a whole answer: its usage, and for a trace what it says of itself. */
export function noteAnswer({ trace, operation }: Call, answer: JsonObject): void {
  trace.usage = operation.usage?.(answer)
  if (trace.context) trace.conclusion = operation.conclusion?.(answer)
}
