import type { RequestBody } from '../wire/body.ts'
import type { FailureKind, GatewayError } from '../wire/errors.ts'
import type { JsonObject } from '../wire/json.ts'
import type { ModelFacts } from '../wire/model-facts.ts'
import type { ReasoningFormat } from '../wire/reasoning-details.ts'
import type { Answer } from './answer.ts'
import type { Clock } from './clock.ts'
import type { Continuations } from './continuing.ts'
import type { EffortWords } from './efforts.ts'
import type { Feature } from './features.ts'
import type { AtOnce, Capability } from './operation.ts'
import type { ProviderSettings } from './provider-settings.ts'
import type { Remedy } from './remedy.ts'
import type { ServedRequest } from './served.ts'
import type { Signal } from './signal.ts'
import type { Stage } from './stream.ts'
import type { WireContext } from './wire-context.ts'

export type { Price } from '../wire/model-facts.ts'
export type { ProviderSettings } from './provider-settings.ts'
export type { Remedy } from './remedy.ts'
export type { WireContext } from './wire-context.ts'

/** How an upstream's format differs from OpenAI's. */
export interface Wire {
  /** Converts an OpenAI request to the upstream's format. Throws a `GatewayError` for what the upstream can't do. */
  readonly encode?: (context: WireContext) => JsonObject
  /** Converts the upstream's answer to OpenAI's format. */
  readonly decode?: (answer: JsonObject, context: WireContext) => JsonObject
  /** Converts the upstream's stream to an OpenAI stream; throws a `GatewayError` for an error in it. */
  readonly stream?: (context: WireContext) => Stage
}

/**
 * How an upstream serves one operation. With `path` alone, bytes pass unchanged except for the value of `model`; the
 * other fields are for upstreams that differ from OpenAI's format. Pure but for `serve`: no I/O, no environment.
 */
export interface OperationSpec extends Wire {
  readonly path: string
  /** The path for requests that want a stream; the default is `path`. */
  readonly streamPath?: string
  /** The path alone names the model: none is written into the request. */
  readonly unnamed?: boolean
  /** Loads what is needed for requests only: the rest of it, by the first one. */
  readonly load?: () => Promise<Wire>
  /** The answer is a bare list, which `decode` gets under this name. */
  readonly list?: string
  /** The content type of a stream if it isn't `text/event-stream`. */
  readonly streamType?: string
  /** The part of a WebSocket's query that names the model; the default is `model`. */
  readonly modelIn?: string
  /** What the upstream does in one request. The operation shares out what is more. */
  readonly atOnce?: AtOnce
  /**
   * What the upstream ignores without an error, or takes for something else. A request that asks for it is refused, and
   * may go to another deployment. What the upstream refuses by itself need not be listed.
   */
  readonly lacks?: readonly Feature[]
  /**
   * The kinds of tools that the upstream takes as they are meant. A request with others is made one for another operation
   * if it can be. Absent: all.
   */
  readonly tools?: RegExp
  /** The same request in words that the upstream takes as they are meant; most requests are returned as they are. */
  readonly rephrase?: (body: RequestBody) => RequestBody
  /** Remedies change the client's request, before `encode`; absent: what that makes of it, whose fields they then name. */
  readonly remedied?: 'before'
  /** Takes images as data only: those given by address are fetched first, and `context.images` has them for `encode`. */
  readonly images?: 'data'
  /** Answers by code of its own, which makes the exchanges itself; of the fields above only `atOnce` still counts. */
  readonly serve?: (request: ServedRequest) => Promise<Answer>
  /** Used instead when the upstream says that this endpoint doesn't serve the model. */
  readonly otherwise?: OperationSpec
}

/** Keyed by operation name. An operation without an entry isn't served. */
export type OperationSpecs = Readonly<Partial<Record<string, OperationSpec>>>

/** How an upstream words a failure. The first matching rule decides the kind; the general rules come after these. */
export interface ErrorRule {
  readonly status?: number | readonly number[]
  /** Tested against the error's code, type and message, with spaces in between. */
  readonly match?: RegExp
  /** Tested against all of an error response, for what its message doesn't tell. */
  readonly body?: RegExp
  /** An error's whole code or type. */
  readonly code?: readonly string[]
  /** What the client's request holds as text, for words that mean something else without it. */
  readonly holds?: RegExp
  /** Fields of which one is refused, whatever the words for that: see `partWordings`. */
  readonly refuses?: readonly string[]
  readonly kind: FailureKind
  /** With kind `incapable`: what the model lacks. */
  readonly lacks?: Capability
  /** The field at fault, for where the upstream names none. */
  readonly param?: string
  /** A message that says what to do, for when the upstream's own is misleading. */
  readonly say?: (model: string) => string
}

/** What is known about a model in advance: from the configuration or the upstream's list. */
export interface KnownModel extends ModelFacts {
  readonly id: string
}

/** Tools for work other than requests to models: lists, pulls. `fetch` limits what it reads: see slow-path.ts. */
export interface SlowPath {
  readonly fetch: typeof fetch
  readonly signal: AbortSignal
  readonly log: (message: string) => void
  /** Is told each step of a pull. Absent: nobody wants to know. */
  readonly progress?: (step: JsonObject) => void
}

/** A request to a provider that needs no HTTP because it runs in the process. */
export interface LocalRequest {
  /** The operation's name. */
  readonly operation: string
  readonly body: JsonObject
  readonly stream: boolean
  /** `provider/model` as configured: the value of the answer's `model`. */
  readonly label: string
  readonly context: WireContext
  readonly signal: Signal
  readonly clock: Clock
  /** Loads a file that ships with the gateway, such as a model's weights. */
  readonly asset: (name: string) => Promise<Uint8Array>
}

/** Declares what differs from OpenAI's API; everything left out works as with OpenAI. */
export interface ProviderDefinition {
  readonly type: string
  /** Its name when nothing is configured; defaults to its type. */
  readonly name?: string
  /** The display name: `Hugging Face`. */
  readonly title: string
  /** By which OpenTelemetry's conventions know it; defaults to its type. */
  readonly telemetryName?: string
  /** The default base URL. Absent: the configuration must set it. */
  readonly baseURL?: string
  /** Environment variables that enable the provider without any configuration; a key alone does if `baseURL` is set. */
  readonly env?: { readonly apiKey?: string; readonly baseURL?: string }
  /** Works without a key, like local servers. */
  readonly keyless?: boolean
  /** Whether nobody bills what a model does there, as on one's own machine. The default is no: the price is unknown. */
  readonly free?: boolean | ((settings: ProviderSettings, model: string) => boolean)
  /** Its own settings: free text, or one of a list. */
  readonly settings?: Readonly<Record<string, 'text' | readonly string[]>>
  /** Names (with `*`) that it serves when nothing is configured; absent: only those that it lists. */
  readonly answers?: readonly string[]
  /** The address where a running server is looked for at start when nothing is configured. */
  readonly probe?: string
  /** Its list of models is complete: unlisted names are missing, even though the server would answer to them. */
  readonly answersAnyName?: boolean
  /**
   * How it serves each operation, by name. Absent: all of them, as OpenAI does. Legacy completions are served through
   * `chat` if this has no `completions`.
   */
  readonly operations?: (settings: ProviderSettings) => OperationSpecs
  /**
   * Headers other than the content type; the default is `Authorization: Bearer`. `operation`: its name; undefined for
   * what is no operation, such as a list or a request that is passed on.
   */
  readonly headers?: (settings: ProviderSettings, operation?: string) => Record<string, string>
  /** The URL of an operation; the default is `baseURL + path`. */
  readonly url?: (settings: ProviderSettings, path: string, model: string) => string
  /**
   * The URL of a path of OpenAI's API that the gateway doesn't serve itself, query included; the default is
   * `baseURL + path`. Undefined: it has no such API.
   */
  readonly passes?: (settings: ProviderSettings, path: string) => string | undefined
  /**
   * Whether this address is known to keep to OpenAI's format: its answers then pass without a look at their fields.
   * Others are repaired where something is wrong that a client would trip over. The default is no.
   */
  readonly keepsFormat?: (settings: ProviderSettings) => boolean
  /**
   * Whether streams from this address are known to end properly, with a finish and `[DONE]`, or else to break off or
   * report an error. A runtime that can forward streams by itself does so only for these, unless the configuration says
   * otherwise: what it forwards can't be repaired. The default is no.
   */
  readonly endsStreams?: (settings: ProviderSettings) => boolean
  /**
   * The operations in which the model goes on with the text of a broken answer exactly where it ends, and how it is told
   * to. Absent: it is never asked to.
   */
  readonly continues?: (settings: ProviderSettings, model: string) => Continuations
  /** Whether this address is a router, to which a request's `models` or `provider` may be addressed. The default is no. */
  readonly routes?: (settings: ProviderSettings) => boolean
  readonly errors?: readonly ErrorRule[] | ((settings: ProviderSettings) => readonly ErrorRule[])
  /**
   * A remedy for a refused request, chosen by the error: tried once, then remembered. Comes before those that are tried
   * for every provider, such as another name for a refused limit.
   */
  readonly heal?: (error: GatewayError) => Remedy | undefined
  /**
   * The formats of `reasoning_details` that it makes and reads in the history; they are kept for it, and dropped for
   * others, where a request is translated. Absent: none.
   */
  readonly reasoning?: readonly ReasoningFormat[]
  /**
   * Whether it takes Anthropic's `cache_control`, on the parts of a message and on tools. The default is no: it is left
   * out where a request is translated.
   */
  readonly cacheControl?: boolean
  /** How it is told how much to think, by model; the first that fit count. Absent: as OpenAI is. */
  readonly efforts?: readonly EffortWords[] | ((settings: ProviderSettings) => readonly EffortWords[])
  /** The default is `GET /models`. */
  readonly models?: (settings: ProviderSettings, tools: SlowPath) => Promise<KnownModel[]>
  /** Downloads a model that the upstream doesn't have yet. Rejects with a `GatewayError` if it can't. */
  readonly pull?: (model: string, settings: ProviderSettings, tools: SlowPath) => Promise<void>
  /** Whether callers may have the model pulled when the configuration names no models. Absent: any model. */
  readonly mayPull?: (model: string) => boolean
  /** Answers in the process, without HTTP. */
  readonly serve?: (request: LocalRequest) => Promise<Answer>
}

/** A definition with the name and the settings that the configuration gave it. */
export interface Provider {
  readonly name: string
  readonly definition: ProviderDefinition
  readonly settings: ProviderSettings
  readonly operations: OperationSpecs
  /** Sends the caller's own bearer token instead of a key. */
  readonly callersKey: boolean
  /** Routes by what a request says of that itself. */
  readonly routes?: boolean
  /** Whether it is told to which trace a request belongs. */
  readonly trace?: boolean
  /** Why it can't be used, such as a variable that is not set. */
  readonly unavailable?: string
}

/** Does nothing at run time: it only makes TypeScript check a provider file where it is written. */
export function defineProvider<const T extends ProviderDefinition>(definition: T): ProviderDefinition {
  return definition
}

export function bearer(settings: ProviderSettings): Record<string, string> {
  return settings.apiKey ? { authorization: `Bearer ${settings.apiKey}` } : {}
}
