import type { MissingKind } from '../wire/errors.ts'
import type { JsonObject } from '../wire/json.ts'
import type { PatternIndex } from './patterns.ts'
import type { KnownModel, Provider } from './provider.ts'

/** One place where a model is served. */
export interface Deployment {
  readonly provider: Provider
  /** The provider's own name of the model. */
  readonly model: string
  /** `provider/model`: what `x-samewire-model` says. */
  readonly label: string
  /** Share of the requests among the deployments of one model. */
  readonly weight: number
  /** Fields that are set where the request leaves them out. */
  readonly defaults: JsonObject
  /** Fields that are set whatever the request says. */
  readonly overrides: JsonObject
  /** From the configuration; wins over what the provider lists. */
  readonly known: Omit<KnownModel, 'id'>
}

/** Times in milliseconds. */
export interface Limits {
  /** A whole answer; for a stream, until its first content. */
  readonly timeout: number
  /** Until the first content of a stream. */
  readonly streamTimeout: number
  /** Between two chunks of a stream. */
  readonly idleTimeout: number
  /** Further tries on the same deployment. */
  readonly retries: number
  /**
   * How closely a stream is watched where the runtime can carry it: before it goes on, behind it, not at all.
   * Undefined: as the provider's streams deserve.
   */
  readonly streams: 'checked' | 'observed' | 'untouched' | undefined
}

/** A model as the gateway's clients name it. */
export interface ModelGroup {
  readonly name: string
  readonly deployments: readonly Deployment[]
  readonly fallbacks: readonly string[]
  readonly limits: Limits
}

/** `pull` alone: what the provider takes for harmless; with names (and patterns of them): those. */
export type MissingPolicy = 'fallback' | 'error' | 'pull' | { readonly pull: readonly string[] }

/** A checked configuration, ready to be asked. */
export interface Catalog {
  readonly providers: ReadonlyMap<string, Provider>
  /** Names without `*`. */
  readonly models: ReadonlyMap<string, ModelGroup>
  /** Names with `*`. */
  readonly patterns: PatternIndex<ModelGroup>
  readonly fallback: string | undefined
  readonly missing: Readonly<Partial<Record<MissingKind, MissingPolicy | undefined>>>
  readonly limits: Limits
}

/** The models that each provider lists, by the provider's name and the model's id; no entry: not known (yet). */
export type Known = ReadonlyMap<string, ReadonlyMap<string, KnownModel>>

/**
 * The group that answers to `name`: an exact name, `provider/model`, the most specific pattern, or a bare name that a
 * provider lists.
 */
export function findGroup(catalog: Catalog, name: string, known: Known): ModelGroup | undefined {
  return (
    catalog.models.get(name) ??
    directGroup(catalog, name) ??
    patternGroup(catalog, name) ??
    listedGroup(catalog, name, known)
  )
}

/** `provider/model`, split at the first slash and only where the front is a provider: Hugging Face ids hold slashes. */
function directGroup(catalog: Catalog, name: string): ModelGroup | undefined {
  const slash = name.indexOf('/')
  const provider = slash > 0 ? catalog.providers.get(name.slice(0, slash)) : undefined
  return provider && slash < name.length - 1 ? singleGroup(catalog, name, provider, name.slice(slash + 1)) : undefined
}

function patternGroup({ patterns }: Catalog, name: string): ModelGroup | undefined {
  const match = patterns.find(name)
  if (!match) return undefined
  const { value: group, middle } = match
  return { ...group, deployments: group.deployments.map((deployment) => filled(deployment, middle)) }
}

/** A `*` in a deployment's model stands for what the pattern's `*` matched. */
function filled(deployment: Deployment, middle: string): Deployment {
  if (!deployment.model.includes('*')) return deployment
  const model = deployment.model.replace('*', () => middle)
  return { ...deployment, model, label: `${deployment.provider.name}/${model}` }
}

function listedGroup(catalog: Catalog, name: string, known: Known): ModelGroup | undefined {
  const latest = `${name}:latest`
  for (const provider of catalog.providers.values()) {
    const listed = known.get(provider.name)
    const id = listed?.has(name) ? name : listed?.has(latest) ? latest : undefined
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
    defaults: {},
    overrides: {},
    known: {},
  }
}
