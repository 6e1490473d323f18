import type { Flights } from '../cache/flying.ts'
import type { RequestBody } from '../wire/body.ts'
import type { FailureKind, GatewayError } from '../wire/errors.ts'
import type { JsonObject } from '../wire/json.ts'
import type { Account, Admission, Attempted, Tenant } from './account.ts'
import type { Answer } from './answer.ts'
import type { Begun } from './continuing.ts'
import type { Conclusion, Operation, StreamReader } from './operation.ts'
import type { Plan, Target } from './plan.ts'
import type { Signal } from './signal.ts'
import type { TraceContext } from './trace-context.ts'
import type { WorkRecord } from './work-record.ts'

/** One client request on its way through the layers. */
export interface Call {
  readonly operation: Operation
  readonly body: RequestBody
  /** The request with what it says of its routing, for providers that route by that themselves. */
  readonly routed?: RequestBody | undefined
  /** Whether the client wants a stream, and the operation has any. */
  readonly streams: boolean
  readonly plan: Plan
  /** The target being tried. */
  readonly target: Target
  /** Aborted when the client disconnects and, below the timeout layer, when an attempt times out. */
  readonly signal: Signal
  readonly trace: Trace
  /** The caller's own bearer token, for providers configured with `apiKey: 'client'`. */
  readonly bearer: string | undefined
  readonly requestId: string
  /** The id of the attempt's span; absent where there are none. */
  readonly span?: string
  /** Headers of the client's for an upstream of the same API. */
  readonly carried?: Readonly<Record<string, string>> | undefined
  /** How many gateways the request has passed through before this one. */
  readonly hops: number
  /** When no further attempt begins: milliseconds of the services' clock. */
  readonly deadline: number
  /** What another deployment has answered so far, if only the rest is asked for. */
  readonly begun?: Begun
  /** What was left out of the client's request before it became this one. */
  readonly dropped?: readonly string[]
  /** Fields that may be left out where the upstream refuses or lacks them, whatever the configuration says. */
  readonly optional?: readonly string[] | undefined
  /** Absent: no answer is kept. */
  readonly cache?: CacheAsk
}

/** What of a request decides whether it may have an answer that another one got. */
export interface CacheAsk {
  /** What its client says in `cache-control`. */
  readonly control: string | undefined
  readonly tenant: Tenant
  /** The request as it came, with what it says of its routing. */
  readonly asked: RequestBody
  /** What it may join. Absent: what its gateway has, if anything may. */
  readonly flights?: Flights | undefined
}

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
  /** Follows it, for observers. Absent: nobody does. */
  record?: WorkRecord
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

/** Answers a call with a 2xx answer in OpenAI's format, or rejects with a `GatewayError`. */
export type Upstream = (call: Call) => Promise<Answer>

/** A policy wrapped around an upstream. */
export type Layer = (next: Upstream) => Upstream

/** Wraps `layers` around `upstream`; the first layer is the outermost. */
export function compose(...layers: readonly Layer[]): (upstream: Upstream) => Upstream {
  return (upstream) => layers.reduceRight((next, layer) => layer(next), upstream)
}
