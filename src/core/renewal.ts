import type { RequestBody } from '../wire/body.ts'
import type { GatewayError } from '../wire/errors.ts'
import type { JsonObject } from '../wire/json.ts'
import type { Feature } from './features.ts'

/** How an operation's requests in terms that OpenAI has replaced get to upstreams that know the later ones only. */
export interface Renewal {
  /** What an upstream lacks that does not know the old terms. */
  readonly feature: Feature
  /** Whether a request uses the old terms. */
  concerns(body: RequestBody): boolean
  /** Whether a configuration puts the new terms into each request, so that its answer has them. */
  isForced(overrides: JsonObject): boolean
  /** The request in the new terms, for an upstream that lacks these features. */
  renew(body: RequestBody, lacks: ReadonlySet<Feature>): RequestBody
  /** What an upstream lacks by its refusal of the request, of what other terms can do without. */
  told(failure: GatewayError, body: RequestBody): Feature | undefined
  /** What the answer to a renewed request is in the old terms. Absent: what it is in the new ones. */
  readback(body: RequestBody): Readback | undefined
  /** A failure of a renewed request, about the client's own fields. */
  failure(failure: GatewayError): GatewayError
}

/** Puts one answer into the terms of its request. */
export interface Readback {
  answer(answer: JsonObject): JsonObject
  /** A chunk of a stream; undefined: it says nothing in the old terms. Sees all chunks in order. */
  chunk(chunk: JsonObject): JsonObject | undefined
}
