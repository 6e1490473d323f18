import type { Catalog, Known } from '../../core/catalog.ts'
import { entryOf } from '../../core/listed.ts'
import { other, type Registry } from './registry.ts'

export interface Names {
  /** The catalog of the gateway whose requests are counted. */
  readonly catalog: Catalog
  /** The providers' lists of models. */
  readonly known: Known
}

/**
 * The names by which models and deployments are counted. Clients can make up any name, and each would be another series
 * for ever: only those count that the configuration or a provider's list has; a name that fits a pattern counts as that.
 */
export class KnownNames {
  readonly #registry: Registry
  readonly #names: Names
  readonly #models = new Map<string, string>()
  readonly #deployments = new Map<string, string>()
  readonly #configured: ReadonlySet<string>

  constructor(registry: Registry, names: Names) {
    this.#registry = registry
    this.#names = names
    this.#configured = configuredIn(names.catalog)
  }

  /** Of the model that a client asks for. */
  model(name: string | undefined): string {
    if (name === undefined) return ''
    return this.#models.get(name) ?? this.#admitted(this.#models, name, this.#modelOf(name))
  }

  /** Of `provider/model`. */
  deployment(label: string): string {
    return this.#deployments.get(label) ?? this.#admitted(this.#deployments, label, this.#deploymentOf(label))
  }

  /** A name that isn't known isn't remembered either. */
  #admitted(names: Map<string, string>, given: string, counted: string): string {
    if (counted !== given) return counted
    if (!this.#registry.hasRoom) {
      this.#registry.folded++
      return other
    }
    names.set(given, counted)
    return counted
  }

  #modelOf(name: string): string {
    const { catalog, known } = this.#names
    if (catalog.models.has(name)) return name
    const provider = name.slice(0, Math.max(0, name.indexOf('/')))
    if (catalog.providers.has(provider)) return this.#isServed(name, provider) ? name : other
    const pattern = catalog.patterns.find(name)
    if (pattern) return pattern.value.name
    return [...known.values()].some((listed) => isListed(listed, name)) ? name : other
  }

  #deploymentOf(label: string): string {
    const provider = label.slice(0, Math.max(0, label.indexOf('/')))
    return this.#isServed(label, provider) ? label : `${provider}/${other}`
  }

  #isServed(label: string, provider: string): boolean {
    return this.#configured.has(label) || isListed(this.#names.known.get(provider), label.slice(provider.length + 1))
  }
}

function isListed(listed: Parameters<typeof entryOf>[1], model: string): boolean {
  const bare = model.replace(/:latest$/, '')
  return entryOf(model, listed) !== undefined || entryOf(bare, listed) !== undefined
}

/** All that the configuration names in full: deployments, and models of a provider that stand in for others. */
function configuredIn({ models, patterns, fallback }: Catalog): ReadonlySet<string> {
  const all = [...models.values(), ...patterns.values].flatMap(
    ({ deployments, fallbacks, contextWindowFallbacks = [], contentPolicyFallbacks = [] }) => [
      ...deployments.map(({ label }) => label),
      ...fallbacks,
      ...contextWindowFallbacks,
      ...contentPolicyFallbacks,
    ],
  )
  return new Set(fallback === undefined ? all : [...all, fallback])
}
