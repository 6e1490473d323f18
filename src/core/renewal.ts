import type { RequestBody } from '../wire/body.ts'
import type { GatewayError } from '../wire/errors.ts'
import type { JsonObject } from '../wire/json.ts'
import type { Feature } from './features.ts'
import type { Late } from './late.ts'

/**
 * How a request in terms that an upstream doesn't know, such as those that OpenAI has replaced, gets to it in others, and
 * its answer back.
 */
export interface Renewal {
  /** What an upstream lacks that does not know the terms. */
  readonly feature: Feature
  /** Whether a request uses the terms. */
  concerns(body: RequestBody): boolean
  /** Loaded by the first request that does. */
  readonly how: Late<Renewing>
}

/** What is done with the requests that a renewal concerns. */
export interface Renewing {
  /** Whether a configuration puts the other terms into each request, so that its answer has them. */
  isForced(overrides: JsonObject): boolean
  /** The request in the other terms. */
  renew(body: RequestBody): RequestBody
  /** Whether a refusal of the request says that the upstream doesn't know the terms. */
  tells(failure: GatewayError, body: RequestBody): boolean
  /** What the answer to a renewed request is in the client's terms. Absent: what it is in the other ones. */
  readback(body: RequestBody): Readback | undefined
  /** A failure of a renewed request, about the client's own fields. */
  failure(failure: GatewayError): GatewayError
}

/** Puts one answer into the terms of its request. */
export interface Readback {
  answer(answer: JsonObject): JsonObject
  /** A chunk of a stream; undefined: it says nothing in the client's terms. Sees all chunks in order. */
  chunk(chunk: JsonObject): JsonObject | undefined
}
