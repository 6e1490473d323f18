import type { Answer } from '../core/answer.ts'
import type { Operation } from '../core/operation.ts'
import type { Gateway } from '../gateway.ts'
import type { RequestBody } from '../wire/body.ts'
import type { GatewayError } from '../wire/errors.ts'
import type { JsonObject } from '../wire/json.ts'

/** A language that clients speak: its routes, its requests and answers, and its words for a failure. */
export interface Dialect {
  readonly routes: readonly DialectRoute[]
}

export type DialectRoute = InferenceRoute | LookUpRoute

interface BaseRoute {
  /** Without `/v1`; `{model}` stands for a model's name, slashes included. */
  readonly path: string
  /** The body that tells of a failure. */
  refuse(failure: GatewayError): JsonObject
}

/** Asks a model. */
export interface InferenceRoute extends BaseRoute {
  readonly method: 'POST'
  /** What a request asks for, on the OpenAI wire. `model`: the one that the path names. Throws a `GatewayError`. */
  request(body: RequestBody, model: string | undefined): { readonly operation: Operation; readonly body: RequestBody }
  /** The dialect's answer for one on the OpenAI wire. Absent: the same. */
  answer?(answer: Answer, asked: RequestBody): Answer
}

/** Looks something up without asking a model. */
export interface LookUpRoute extends BaseRoute {
  readonly method: 'GET'
  look(gateway: Gateway, model: string | undefined): Promise<JsonObject>
}
