import type { Answer } from '../core/answer.ts'
import { once } from '../core/late.ts'
import type { Operation } from '../core/operation.ts'
import type { Signal } from '../core/signal.ts'
import type { Gateway } from '../gateway.ts'
import type { RequestBody } from '../wire/body.ts'
import type { GatewayError } from '../wire/errors.ts'
import type { HeaderReader, OwnHeaders } from '../wire/headers.ts'
import type { JsonObject } from '../wire/json.ts'

/** An API that clients use: its routes, its requests and answers, and its error messages. */
export interface Dialect<Route = DialectRoute | LateRoute> {
  readonly routes: readonly Route[]
}

export type DialectRoute = InferenceRoute | LookUpRoute | TaskRoute

/** Where a route is found. */
export interface Address {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** Without `/v1`; `{model}` stands for a model's name, slashes included. */
  readonly path: string
  /** Whether a request is for this dialect, on a path that others have too. Absent: it is, if none of them claims it. */
  claims?(header: HeaderReader): boolean
  /** Whether it is looked for only if nothing else has the path, of which it could be any. */
  readonly last?: boolean
}

/** A route whose code is loaded by its first request. */
export interface LateRoute extends Address {
  load(): Promise<DialectRoute>
}

interface BaseRoute extends Address {
  /** The body of an error answer. */
  refuse(failure: GatewayError, requestId: string): JsonObject
  /** The status of an error answer, where it isn't the one of OpenAI's API. */
  status?(failure: GatewayError): number
  /** The headers of its answers, beside those of OpenAI's API. */
  readonly headers?: OwnHeaders
  /** The part of a query in which its clients may send their key. */
  readonly keyParameter?: string
  /** Whether its requests are JSON whatever type they say. */
  readonly anyType?: boolean
}

/** A request for an operation. */
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
  /** The headers that go on to an upstream of the same API, in lower case. */
  readonly carries?: readonly string[]
  /** The header that names the client's session, beside `x-session-id`. */
  readonly sessionHeader?: string
  /** What is asked for. `model`: the model in the path; `url`: with `explains` or `keyParameter`. Throws a `GatewayError`. */
  request(body: RequestBody, model: string | undefined, url?: string): InferenceRequest | Promise<InferenceRequest>
  /** Converts an answer from the operation's format to the dialect's. `url`: as above. Absent: they are the same. */
  answer?(answer: Answer, asked: RequestBody, url?: string): Answer
}

/** A route that looks something up without asking a model. */
export interface LookUpRoute extends BaseRoute {
  look(gateway: Gateway, asked: LookUp): Promise<JsonObject>
  /** Whether what is posted is of no interest: it is not read. */
  readonly unread?: boolean
}

/** A route that has something done without asking a model, and may tell of it as it goes on. */
export interface TaskRoute extends BaseRoute {
  perform(gateway: Gateway, asked: Task): Promise<Answer>
}

export interface LookUp {
  /** The model in the path. */
  readonly model: string | undefined
  /** The query. */
  readonly parameters: URLSearchParams
  /** What was posted; without fields for a GET. */
  readonly body: JsonObject
}

export interface Task extends LookUp {
  /** Aborted when the client disconnects. */
  readonly signal: Signal
}

/** The routes of a dialect whose code is loaded by the first request to one of them. */
export function late(addresses: readonly Address[], load: () => Promise<Dialect<DialectRoute>>): readonly LateRoute[] {
  const loaded = once(load)
  async function find({ method, path }: Address): Promise<DialectRoute> {
    const { routes } = await loaded()
    const found = routes.find((route) => route.method === method && route.path === path)
    if (!found) throw new Error(`no route ${method} ${path} in the dialect that has it`)
    return found
  }
  return addresses.map((address) => ({ ...address, load: () => find(address) }))
}
