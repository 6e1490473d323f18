import type { Answer } from '../core/answer.ts'
import type { Operation } from '../core/operation.ts'
import type { Gateway } from '../gateway.ts'
import type { RequestBody } from '../wire/body.ts'
import type { GatewayError } from '../wire/errors.ts'
import type { JsonObject } from '../wire/json.ts'

/** An API that clients use: its routes, its requests and answers, and its error messages. */
export interface Dialect {
  readonly routes: readonly DialectRoute[]
}

export type DialectRoute = InferenceRoute | LookUpRoute

interface BaseRoute {
  /** Without `/v1`; `{model}` stands for a model's name, slashes included. */
  readonly path: string
  /** The body of an error answer. */
  refuse(failure: GatewayError): JsonObject
}

/** A request in OpenAI's format. */
export interface InferenceRequest {
  readonly operation: Operation
  readonly body: RequestBody
  /** What was left out of it, for `x-samewire-dropped`. */
  readonly dropped?: readonly string[] | undefined
}

/** A route that sends a request to a model. */
export interface InferenceRoute extends BaseRoute {
  readonly method: 'POST'
  /** Answers with the plan for the request, and sends it nowhere. */
  readonly explains?: boolean
  /** Whether the request may be a form with files. */
  readonly forms?: boolean
  /** The request in OpenAI's format. `model`: the model in the path; `url`: with `explains`. Throws a `GatewayError`. */
  request(body: RequestBody, model: string | undefined, url?: string): InferenceRequest
  /** Converts an answer from OpenAI's format to the dialect's. Absent: they are the same. */
  answer?(answer: Answer, asked: RequestBody): Answer
}

/** A route that looks something up without a model. */
export interface LookUpRoute extends BaseRoute {
  readonly method: 'GET'
  look(gateway: Gateway, model: string | undefined, parameters: URLSearchParams): Promise<JsonObject>
}
