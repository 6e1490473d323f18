import type { RequestBody } from '../wire/body.ts'
import type { GatewayError } from '../wire/errors.ts'
import type { Random } from '../wire/ids.ts'
import type { JsonObject } from '../wire/json.ts'
import type { ReasoningFormat } from '../wire/reasoning-details.ts'
import type { Clock } from './clock.ts'
import type { Stage } from './stream.ts'

/** How requests of one operation are served by models that know only another one, such as chat. */
export interface Translation<Other> {
  readonly operation: Other
  /** Translates one request. Throws a `GatewayError` for what the other operation can't do. */
  begin(body: RequestBody, context: TranslationContext): Translated
  /**
   * The request for a model that knows the operation itself, which can't read what the translation has given to the
   * client. Absent: it gives nothing of the kind.
   */
  direct?(body: RequestBody): RequestBody
  /** Whether a request brings other tools than an upstream takes that knows the operation itself. Absent: it never does. */
  exceeds?(body: RequestBody, taken: RegExp): boolean
  /** A failure of a translated request, about the client's own fields. Absent: as it is. */
  readonly failure?: (failure: GatewayError) => GatewayError
}

export interface TranslationContext {
  readonly random: Random
  readonly clock: Clock
  /** The model's name, for answers that don't tell it. */
  readonly model: string
  /** The formats of `reasoning_details` that the model can read. */
  readonly reads: readonly ReasoningFormat[]
  /** Whether it takes `cache_control`. */
  readonly cacheControl: boolean
  /** In tokens: what the model has room for, and the most that one answer may have; undefined if unknown. */
  readonly contextWindow: number | undefined
  readonly maxOutput: number | undefined
  /** Whether the answer is to have what its model needs back, although the client doesn't ask for that. */
  readonly keeps?: boolean | undefined
}

/** One request in terms of the other operation, and its answer in terms of its own. */
export interface Translated {
  readonly body: RequestBody
  /** What was left out, for `x-samewire-dropped`. */
  readonly dropped: readonly string[]
  /** The fields of `body` that are mere hints in the client's own API: they may be left out where they are refused. */
  readonly optional?: readonly string[]
  answer(answer: JsonObject): JsonObject
  /** What of a whole answer has no place in its own terms, for `x-samewire-dropped`. Absent: all of it has. */
  leftOut?(answer: JsonObject): readonly string[]
  /** The answer to a request that no model need be asked for. Absent: one must be. */
  readonly unasked?: JsonObject
  /** Translates the events of a stream, error events included. Absent: the operation has no streams. */
  stage?(): Stage
}
