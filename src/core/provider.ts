import type { FailureKind, GatewayError } from '../wire/errors.ts'
import type { JsonObject } from '../wire/json.ts'
import type { Answer } from './answer.ts'
import type { Clock } from './clock.ts'
import type { Capability } from './operation.ts'
import type { Signal } from './signal.ts'
import type { Stage } from './stream.ts'

/** What a translation of one exchange may know. */
export interface WireContext {
  /** The client's request with the deployment's `params` applied. */
  readonly body: JsonObject
  /** The upstream's name of the model. */
  readonly model: string
  /** One id and one time (whole seconds) for the answer and for every chunk of a stream. */
  readonly id: string
  readonly created: number
  readonly random: () => number
}

/**
 * How an upstream speaks one operation. With `path` alone the bytes pass untouched but for the value of `model`;
 * the rest is for what is not OpenAI's wire. Pure: no I/O, no environment.
 */
export interface OperationSpec {
  readonly path: string
  /** The upstream's request for an OpenAI request. Throws a `GatewayError` for what the upstream can't do. */
  readonly encode?: (context: WireContext) => JsonObject
  /** The OpenAI answer for the upstream's. */
  readonly decode?: (answer: JsonObject, context: WireContext) => JsonObject
  /** Turns the upstream's stream into an OpenAI stream; throws a `GatewayError` for an error within it. */
  readonly stream?: (context: WireContext) => Stage
  /** The content type of a stream where it isn't `text/event-stream`. */
  readonly streamType?: string
  /** Spoken instead when the upstream says that this endpoint is not for this model. */
  readonly otherwise?: OperationSpec
}

/** By the operation's name; one that is missing isn't served. */
export type OperationSpecs = Readonly<Partial<Record<string, OperationSpec>>>

/** How an upstream words a failure. The first rule that matches names the kind; the general rules come after. */
export interface ErrorRule {
  readonly status?: number
  readonly match: RegExp
  readonly kind: FailureKind
  /** A message that says what to do, where the upstream's own misleads. */
  readonly say?: (model: string) => string
}

/** A change to a request that an upstream refused: fields to drop, or to rename. */
export interface Remedy {
  readonly drop?: readonly string[]
  readonly rename?: Readonly<Record<string, string>>
}

/** What is known of a model before it is asked: from configuration or from the upstream's own list. */
export interface KnownModel {
  readonly id: string
  /** Seconds since 1970. */
  readonly created?: number
  readonly ownedBy?: string
  /** Tokens. */
  readonly contextWindow?: number
  /** Absent means unknown; only a plain `false` keeps a request away. */
  readonly supports?: Readonly<Partial<Record<Capability, boolean>>>
}

/** A provider's configuration, secrets already looked up. */
export interface ProviderSettings {
  /** Without a trailing slash. */
  readonly baseURL: string
  readonly apiKey?: string | undefined
  readonly headers: Readonly<Record<string, string>>
  /** The settings that the definition declares for itself. */
  readonly options: Readonly<Record<string, string>>
}

/** Tools for work off the chat path: lists, pulls. What `fetch` brings is bounded: see slow-path.ts. */
export interface SlowPath {
  readonly fetch: typeof fetch
  readonly signal: AbortSignal
  readonly log: (message: string) => void
}

/** A request to a provider that needs no HTTP. */
export interface LocalRequest {
  /** The operation's name. */
  readonly operation: string
  readonly body: JsonObject
  readonly stream: boolean
  /** `provider/model` as configured: what the answer's `model` says. */
  readonly label: string
  readonly context: WireContext
  readonly signal: Signal
  readonly clock: Clock
  /** A file that the runtime carries, such as a model's weights. */
  readonly asset: (name: string) => Promise<Uint8Array>
}

/** States what differs from the OpenAI wire; everything that is not said is OpenAI's way. */
export interface ProviderDefinition {
  readonly type: string
  /** Its name when nothing is configured; the default is its type. */
  readonly name?: string
  /** For people: `Hugging Face`. */
  readonly title: string
  /** Where it lives unless the configuration says otherwise. Absent: the configuration must say. */
  readonly baseURL?: string
  /** Environment variables that bring the provider without a line of configuration. */
  readonly env?: { readonly apiKey?: string; readonly baseURL?: string }
  /** Works without a key, as local servers do. */
  readonly keyless?: boolean
  /** Its own settings: any text, or one of a list. */
  readonly settings?: Readonly<Record<string, 'text' | readonly string[]>>
  /** Names (with `*`) that it answers when nothing is configured; absent: only those that it lists. */
  readonly answers?: readonly string[]
  /** A listening server is looked for at start on this address when nothing is configured. */
  readonly probe?: string
  /** Its list of models is complete: a name that isn't listed is missing, although the server would answer it. */
  readonly answersAnyName?: boolean
  /** How it speaks each operation, by name. Absent: OpenAI's way, all of them. */
  readonly operations?: (settings: ProviderSettings) => OperationSpecs
  /** Headers beside content type; the default is `Authorization: Bearer`. */
  readonly headers?: (settings: ProviderSettings) => Record<string, string>
  /** The address of an operation; the default is `baseURL + path`. */
  readonly url?: (settings: ProviderSettings, path: string, model: string) => string
  /**
   * Whether streams from this address are known to end as they should, with a finish and `[DONE]`, or else to break or
   * to tell an error. A runtime that can carry streams by itself does so for these alone, unless the configuration says
   * otherwise. The default is no.
   */
  readonly endsStreams?: (settings: ProviderSettings) => boolean
  readonly errors?: readonly ErrorRule[] | ((settings: ProviderSettings) => readonly ErrorRule[])
  /** A remedy for a refused request, driven by the error's code and param: tried once, then remembered. */
  readonly heal?: (error: GatewayError) => Remedy | undefined
  /** The default is `GET /models`. */
  readonly models?: (settings: ProviderSettings, tools: SlowPath) => Promise<KnownModel[]>
  /** Fetches a model that the upstream could have. Rejects with a `GatewayError` when it can't. */
  readonly pull?: (model: string, settings: ProviderSettings, tools: SlowPath) => Promise<void>
  /** Whether a caller may have it pulled where the configuration names no models. Absent: any. */
  readonly mayPull?: (model: string) => boolean
  /** Answers in the process, instead of any HTTP. */
  readonly serve?: (request: LocalRequest) => Promise<Answer>
}

/** A definition under the name and with the settings that the configuration gave it. */
export interface Provider {
  readonly name: string
  readonly definition: ProviderDefinition
  readonly settings: ProviderSettings
  readonly operations: OperationSpecs
  /** Sends the caller's own bearer instead of a key. */
  readonly callersKey: boolean
  /** Why it can't be asked, such as a variable that is not set. */
  readonly unavailable?: string
}

/** Checks nothing at run time: it is here so that a provider file is typed where it is written. */
export function defineProvider<const T extends ProviderDefinition>(definition: T): ProviderDefinition {
  return definition
}

export function bearer(settings: ProviderSettings): Record<string, string> {
  return settings.apiKey ? { authorization: `Bearer ${settings.apiKey}` } : {}
}
