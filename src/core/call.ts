import type { RequestBody } from '../wire/body.ts'
import type { FailureKind } from '../wire/errors.ts'
import type { Operation } from './provider.ts'
import type { Plan, Target } from './resolve.ts'
import type { Signal } from './signal.ts'
import type { ByteStream } from './stream.ts'

/** One client's request on its way through the layers. */
export interface Call {
  readonly operation: Operation
  readonly body: RequestBody
  readonly plan: Plan
  /** The target being tried. */
  readonly target: Target
  /** Aborted when the client leaves, and, below the timeout layer, when an attempt has had its time. */
  readonly signal: Signal
  readonly trace: Trace
  /** The caller's own bearer, for providers configured with `apiKey: 'client'`. */
  readonly bearer: string | undefined
  readonly requestId: string
  /** Gateways that the request has come through before this one. */
  readonly hops: number
}

/** What was tried, in order; the layers only ever append. */
export interface Trace {
  readonly attempts: AttemptRecord[]
  /** Why the model that was asked for is not the first that is tried: a word for `x-samewire-reason`. */
  reason?: string
}

export interface AttemptRecord {
  /** `provider/model`. */
  readonly deployment: string
  /** Absent: it answered. */
  readonly failure?: FailureKind
  /** The word for `x-samewire-reason`. */
  readonly reason?: string
  readonly ms: number
}

/** An answer on the OpenAI wire. `body` is whole, or a stream that is still coming. */
export interface Answer {
  readonly status: number
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | ByteStream
}

/** Answers a call with a 2xx answer on the OpenAI wire, or rejects with a `GatewayError`. */
export type Upstream = (call: Call) => Promise<Answer>

/** A policy around an upstream. */
export type Layer = (next: Upstream) => Upstream

/** `layers` around `upstream`, the first one outermost. */
export function compose(...layers: readonly Layer[]): (upstream: Upstream) => Upstream {
  return (upstream) => layers.reduceRight((next, layer) => layer(next), upstream)
}

export function isStream(body: Answer['body']): body is ByteStream {
  return 'pipe' in body
}

/** An HTTP request to an upstream. */
export interface UpstreamRequest {
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** In pieces, so that a large one need not be copied to change a name in it. */
  readonly body: readonly Uint8Array[]
}

/** An HTTP answer as it came: any status, headers in lower case, content decoded. */
export interface UpstreamResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: ByteStream
}

/**
 * Carries a request to an upstream. Rejects with a `GatewayError` of kind `network` when none answers, and with the
 * signal's reason when that is aborted; the signal also cuts a body that is still coming. Never follows redirects:
 * a key would follow them.
 */
export type Transport = (request: UpstreamRequest, signal: Signal) => Promise<UpstreamResponse>
