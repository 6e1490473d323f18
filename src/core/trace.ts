import type { FailureKind, GatewayError } from '../wire/errors.ts'
import type { JsonObject } from '../wire/json.ts'
import type { Account, Admission, Attempted } from './account.ts'
import type { Plan, Target } from './plan.ts'
import type { Conclusion, StreamReader } from './stream-reader.ts'
import type { TraceContext } from './trace-context.ts'
import type { WorkRecord } from './work-record.ts'

/** How a request met with kept answers: `shared` got one that another was getting; `bypass` is none of them. */
export type CacheResult = 'hit' | 'miss' | 'shared' | 'bypass'

/** What was tried, in order. Layers only append. */
export interface Trace {
  readonly attempts: AttemptRecord[]
  /** The distributed trace that it belongs to. Absent: none that anybody follows. */
  context?: TraceContext
  plan?: Plan
  /** Whom it is charged to. Absent: nobody. */
  account?: Account | undefined
  /** Absent until it is let in by its account. */
  admission?: Admission
  /** Whether the client wants to see it. */
  asked?: boolean
  /** What became the last event of a stream that had opened before. */
  failure?: GatewayError
  /** Why the requested model is not the first target: the value for `x-samewire-reason`. */
  reason?: string | undefined
  /** Sends a copy of the request to another model. To be called once the client's own answer is there. */
  shadow?: () => Promise<void>
  /** The fields that the last attempt left out because its upstream doesn't support them. */
  dropped?: readonly string[]
  /** The usage in a whole answer, in the words of its API. */
  usage?: JsonObject | undefined
  /** What a whole answer says of itself, if somebody follows the distributed trace. */
  conclusion?: Conclusion | undefined
  /** Follows it, for observers, until it is over. Absent: nobody does. */
  record?: WorkRecord | undefined
  /** Whether its answer is kept with what only its model can read, for later requests that go on from it. */
  keeps?: boolean
  /** Absent: no answers of its model are kept. */
  cache?: CacheResult
  /** `provider/model` of who gave the answer, if that was to another request. */
  givenBy?: string | undefined
  /** Resolves once all of its answer has come, for others too who get it; undefined if that is so. */
  landing?: () => Promise<void> | undefined
  /** The deployments that continued a stream which had broken off, in order. */
  continued?: string[]
}

export interface AttemptRecord extends Attempted {
  /** `provider/model`. */
  readonly deployment: string
  readonly why?: Target['why']
  /** When it began, in milliseconds since 1970. */
  readonly at: number
  /** When it was over, in the same: a stream at its end. Absent if that isn't followed. */
  over?: number
  /** The HTTP status of the upstream, if it was one of an error. */
  readonly status?: number | undefined
  /** The id of its span; absent where there are none. */
  readonly span?: string | undefined
  /** Absent if the attempt succeeded. */
  readonly failure?: FailureKind
  /** Why it failed, or its stream broke: the value for `x-samewire-reason`. */
  reason?: string
  /** Milliseconds until the answer, a stream's first content, or the failure. */
  readonly ms: number
  /** Whether the stream broke after its first content. */
  broke?: boolean
  /** The reader of its stream. */
  reader?: StreamReader
  /** What its own stream says, where that is joined with others. */
  part?: Pick<StreamReader, 'complete' | 'usage'>
}
