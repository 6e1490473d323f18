import type { MissingKind } from '../wire/errors.ts'
import type { JsonObject } from '../wire/json.ts'
import type { Cooldown } from './breaker.ts'
import type { Droppable } from './features.ts'
import type { RateLimits } from './minute-use.ts'
import type { PatternIndex } from './patterns.ts'
import type { KnownModel, Provider } from './provider.ts'
import type { TextReading } from './wire-context.ts'

/** One place where a model is served. */
export interface Deployment {
  readonly provider: Provider
  /** The provider's own name for the model. */
  readonly model: string
  /** `provider/model`, the value of `x-samewire-model`. */
  readonly label: string
  /** Relative share of the requests among the deployments of one model. */
  readonly weight: number
  /** Its priority: those with a lower one come first. */
  readonly order: number
  /** What it may be asked for in a minute. */
  readonly rate?: RateLimits
  /** Fields that are set if the request omits them. */
  readonly defaults: JsonObject
  /** Fields that are always set, whatever the request says. */
  readonly overrides: JsonObject
  /** What may be left out of a request; absent: what its model's limits say. */
  readonly dropParams?: Droppable
  /** The most tokens that a picture takes. Absent: nobody says. */
  readonly imageTokens?: number
  /** The most tokens that a file takes: a document, a video, a recording. Absent: nobody says. */
  readonly fileTokens?: number
  /** From the configuration; takes precedence over the provider's list. */
  readonly known: Omit<KnownModel, 'id'>
}

export const routingStrategies = ['simple-shuffle', 'least-busy', 'latency-based', 'cost-based', 'usage-based'] as const
/** How one of a model's deployments is chosen. */
export type RoutingStrategy = (typeof routingStrategies)[number]

/** Settings of a model. Times are in milliseconds. */
export interface Limits {
  /** For making a connection, TLS included, on Node only; and for opening a WebSocket. */
  readonly connectTimeout: number
  /** For a whole answer, or until a stream's first content. */
  readonly timeout: number
  /** Until a stream's first content; for a stream, the shorter of the two applies. */
  readonly streamTimeout: number
  /** Between two events with data in a stream. */
  readonly idleTimeout: number
  /** Retries on the same deployment. */
  readonly retries: number
  /**
   * How a stream is checked where the runtime can forward it by itself: before it is sent, shortly after, or not at
   * all. Undefined: depends on the provider's `endsStreams`.
   */
  readonly streams: 'checked' | 'observed' | 'untouched' | undefined
  /** A second attempt for streams whose first content is late: after so many milliseconds, or if later than usual. */
  readonly hedge?: { readonly after?: number } | undefined
  readonly routingStrategy: RoutingStrategy
  /**
   * Whether requests of one session go to the same deployment. Undefined: of those that name a session; with `true`,
   * those of one user are a session too.
   */
  readonly sticky: boolean | undefined
  /** Whether a stream that breaks off is continued, where that is possible. */
  readonly resume: boolean
  /** The unsupported fields that may be left out of a request instead of refusing it. Undefined: none. */
  readonly dropParams?: Droppable | undefined
  /** Whether reasoning is read in the text, and calls; see `TextReading`. */
  readonly thinkTags: TextReading['thinkTags']
  readonly textualCalls: TextReading['textualCalls']
  /** How answers are kept for the same request. Undefined: they aren't. */
  readonly cache?: CacheLimits | undefined
}

/** Whose requests may be answered by what was answered before. */
export type CacheScope = 'key' | 'project' | 'public'

export interface CacheLimits {
  /** For how long an answer is kept, in milliseconds. */
  readonly ttl: number
  readonly scope: CacheScope
  /** Whether the answer of a model that stood in is kept too, as its own. */
  readonly cacheFallbacks: boolean
  /** In bytes: longer answers aren't kept. */
  readonly maxEntryBytes: number
}

/** A model under the name that clients use. */
export interface ModelGroup {
  readonly name: string
  /** By `order`. */
  readonly deployments: readonly Deployment[]
  readonly fallbacks: readonly string[]
  /** Models for requests that are too long for this one. */
  readonly contextWindowFallbacks?: readonly string[]
  /** Models for requests that this one refuses. */
  readonly contentPolicyFallbacks?: readonly string[]
  /** Another model that a share of the requests is copied to. */
  readonly shadow?: Shadow
  /** What all clients together may ask of it in a minute. */
  readonly rate?: Deployment['rate']
  readonly limits: Limits
}

export interface Shadow {
  readonly model: string
  readonly percent: number
}

/** `pull` alone: the models that the provider considers safe; with names or patterns: only those. */
export type MissingPolicy = 'fallback' | 'error' | 'pull' | { readonly pull: readonly string[] }

/** A validated configuration, ready for lookups. */
export interface Catalog {
  readonly providers: ReadonlyMap<string, Provider>
  /** Names without `*`. */
  readonly models: ReadonlyMap<string, ModelGroup>
  /** Names with `*`. */
  readonly patterns: PatternIndex<ModelGroup>
  readonly fallback: string | undefined
  readonly missing: Readonly<Partial<Record<MissingKind, MissingPolicy | undefined>>>
  readonly limits: Limits
  readonly resilience: Resilience
  /**
   * The providers that what the gateway doesn't serve itself is passed on to; the first is the default. Undefined: any,
   * if the request names one.
   */
  readonly passThrough?: readonly string[] | undefined
  readonly images: ImageFetching
  /** How many bytes of answers are kept in memory. Absent: no model's are kept. */
  readonly cache?: { readonly maxBytes: number }
}

/** Whether and where the gateway fetches the images of requests. */
export interface ImageFetching {
  readonly enabled: boolean
  /** Hosts, with or without a port, that may be private. */
  readonly hosts: ReadonlySet<string>
}

/** How the gateway as a whole deals with failures. Times are in milliseconds. */
export interface Resilience {
  /** Undefined: no deployment is ever left alone. */
  readonly cooldown: Cooldown | undefined
  readonly onExhausted: 'least_bad' | 'reject'
  /** Attempts per request, on all its targets. */
  readonly maxAttempts: number
  /** From a request's arrival on; no attempt begins later. */
  readonly requestTimeout: number
}

/** The models that each provider lists, by provider name and model id. No entry: the list is not known (yet). */
export type Known = ReadonlyMap<string, ReadonlyMap<string, KnownModel>>

/**
 * Finds the group for `name`: an exact name, `provider/model`, the most specific pattern, or a bare name that a
 * provider lists. A name without a tag means `latest`, and the reverse, where only the other exists: clients of servers
 * whose names all have a tag add that one.
 */
export function findGroup(catalog: Catalog, name: string, known: Known): ModelGroup | undefined {
  return (
    catalog.models.get(name) ??
    catalog.models.get(untagged(name) ?? name + latest) ??
    directGroup(catalog, name, known) ??
    patternGroup(catalog, name, known) ??
    listedGroup(catalog, name, known)
  )
}

const latest = ':latest'

/** The name without its tag, if that is `latest`. */
function untagged(name: string): string | undefined {
  return name.endsWith(latest) && name.length > latest.length ? name.slice(0, -latest.length) : undefined
}

/** The name for a model that its provider lists: without the tag `latest` where it has only that. */
function listedName(provider: Provider, model: string, known: Known): string {
  const bare = untagged(model)
  const listed = known.get(provider.name)
  return bare !== undefined && listed?.has(bare) && !listed.has(model) ? bare : model
}

/** `provider/model`, split at the first slash and only if a provider precedes it: Hugging Face ids contain slashes. */
function directGroup(catalog: Catalog, name: string, known: Known): ModelGroup | undefined {
  const slash = name.indexOf('/')
  const provider = slash > 0 ? catalog.providers.get(name.slice(0, slash)) : undefined
  if (!provider || slash === name.length - 1) return undefined
  return singleGroup(catalog, name, provider, listedName(provider, name.slice(slash + 1), known))
}

function patternGroup({ patterns }: Catalog, name: string, known: Known): ModelGroup | undefined {
  const match = patterns.find(name)
  if (!match) return undefined
  const { value: group, middle } = match
  return { ...group, deployments: group.deployments.map((deployment) => filled(deployment, middle, known)) }
}

/** Replaces `*` in a deployment's model with the text that the pattern's `*` matched. */
function filled(deployment: Deployment, middle: string, known: Known): Deployment {
  if (!deployment.model.includes('*')) return deployment
  const model = listedName(
    deployment.provider,
    deployment.model.replace('*', () => middle),
    known,
  )
  return { ...deployment, model, label: `${deployment.provider.name}/${model}` }
}

function listedGroup(catalog: Catalog, name: string, known: Known): ModelGroup | undefined {
  const other = untagged(name) ?? name + latest
  for (const provider of catalog.providers.values()) {
    const listed = known.get(provider.name)
    const id = listed?.has(name) ? name : listed?.has(other) ? other : undefined
    if (id !== undefined) return singleGroup(catalog, name, provider, id)
  }
  return undefined
}

function singleGroup({ limits }: Catalog, name: string, provider: Provider, model: string): ModelGroup {
  return { name, deployments: [plainDeployment(provider, model)], fallbacks: [], limits }
}

export function plainDeployment(provider: Provider, model: string): Deployment {
  return {
    provider,
    model,
    label: `${provider.name}/${model}`,
    weight: 1,
    order: 1,
    defaults: {},
    overrides: {},
    known: {},
  }
}
