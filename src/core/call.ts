import type { Flights } from '../cache/flying.ts'
import type { RequestBody } from '../wire/body.ts'
import type { Tenant } from './account.ts'
import type { Answer } from './answer.ts'
import type { Begun } from './continuing.ts'
import type { Operation } from './operation.ts'
import type { Plan, Target } from './plan.ts'
import type { Signal } from './signal.ts'
import type { Trace } from './trace.ts'

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
  /** Whether it stands for a request of another operation. */
  readonly translated?: boolean
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

/** Answers a call with a 2xx answer in OpenAI's format, or rejects with a `GatewayError`. */
export type Upstream = (call: Call) => Promise<Answer>

/** A policy wrapped around an upstream. */
export type Layer = (next: Upstream) => Upstream

/** Wraps `layers` around `upstream`; the first layer is the outermost. */
export function compose(...layers: readonly Layer[]): (upstream: Upstream) => Upstream {
  return (upstream) => layers.reduceRight((next, layer) => layer(next), upstream)
}
