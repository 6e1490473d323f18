import { type Catalog, type Deployment, findGroup, type ModelGroup, plainDeployment } from '../core/catalog.ts'
import { PatternIndex } from '../core/patterns.ts'
import type { Provider } from '../core/provider.ts'
import { checkCircles } from './circles.ts'
import { imagesOf, limitsOf, resilienceOf } from './limits.ts'
import { withValues } from './plain.ts'
import { ConfigError, pathText, show, suggestion } from './problems.ts'
import { buildProvider, type Environment, type Registry } from './providers.ts'
import type { Config, ModelConfig } from './schema.ts'
import { type Findings, noFindings } from './secrets.ts'
import { type Sound, soundPart } from './sound.ts'

/**
 * Checks a configuration and builds the catalog. Throws a `ConfigError` with all mistakes. A secret that is not set is
 * no mistake: it only makes its provider unavailable.
 */
export function buildCatalog(input: unknown, registry: Registry, env: Environment, source?: string): Catalog {
  const out = noFindings()
  const catalog = readCatalog(input, registry, env, out)
  if (out.problems.length > 0) throw new ConfigError(out.problems, source)
  return catalog
}

/** The same, but adds the mistakes to `out`. If there are any, the catalog must not be used. */
export function readCatalog(input: unknown, registry: Registry, env: Environment, out: Findings): Catalog {
  const sound = soundPart(input)
  out.problems.push(...sound.problems)
  return new CatalogBuilder(sound, out).build(registry, env)
}

class CatalogBuilder {
  readonly #config: Config
  readonly #nameless: boolean
  readonly #out: Findings
  readonly #problems: string[]
  readonly #providers = new Map<string, Provider>()
  readonly #groups = new Map<string, ModelGroup>()
  readonly #models: Readonly<Record<string, ModelConfig>>

  constructor({ config, nameless }: Sound, out: Findings) {
    this.#config = config
    this.#nameless = nameless
    this.#out = out
    this.#problems = out.problems
    this.#models = config.models ?? {}
  }

  build(registry: Registry, env: Environment): Catalog {
    for (const [name, config] of Object.entries(this.#config.providers ?? {})) {
      if (name.includes('/')) this.#problems.push(`${pathText(['providers', name])}: a provider's name holds no slash`)
      const provider = buildProvider(name, config, registry, env, this.#out)
      if (provider) this.#providers.set(name, provider)
    }
    for (const name of Object.keys(this.#models)) this.#group(name, [])
    const catalog = this.#assemble()
    this.#checkNames(catalog)
    checkCircles(this.#models, this.#problems)
    return catalog
  }

  #assemble(): Catalog {
    const groups = [...this.#groups]
    return {
      providers: this.#providers,
      models: new Map(groups.filter(([name]) => !name.includes('*'))),
      patterns: new PatternIndex(groups.filter(([name]) => name.includes('*'))),
      fallback: this.#config.fallback,
      missing: this.#config.missing ?? {},
      limits: limitsOf(this.#config),
      resilience: resilienceOf(this.#config),
      passThrough: this.#passThrough(),
      images: imagesOf(this.#config),
      ...this.#cache([this.#config, ...Object.values(this.#models)]),
    }
  }

  /** Nothing if no model's answers are kept. */
  #cache(all: readonly (Config | ModelConfig)[]): Pick<Catalog, 'cache'> {
    if (!all.some((one) => typeof one === 'object' && one.cache)) return {}
    const { maxBytes = 64 * 1024 * 1024 } = this.#config.cache || {}
    return { cache: { maxBytes } }
  }

  #passThrough(): readonly string[] | undefined {
    const { passThrough } = this.#config
    if (passThrough === undefined) return undefined
    const names = passThrough === false ? [] : [passThrough].flat()
    for (const name of names) {
      const known = Object.keys(this.#config.providers ?? {})
      if (known.includes(name)) continue
      const allowed = known.join(', ') || 'nothing, since no providers are configured'
      this.#problems.push(
        `passThrough: found ${show(name)}, which is no provider here${suggestion(name, known)}; allowed: ${allowed}`,
      )
    }
    return names
  }

  /** The group for a configured name; `trail` holds the aliases followed so far. */
  #group(name: string, trail: readonly string[]): ModelGroup | undefined {
    const ready = this.#groups.get(name)
    if (ready) return ready
    const config = this.#models[name]
    if (config === undefined) return undefined
    if (trail.includes(name)) {
      this.#problems.push(`${pathText(['models', name])}: an alias of itself (${[...trail, name].join(' → ')})`)
      return undefined
    }
    const group = typeof config === 'string' ? this.#alias(name, config, trail) : this.#ownGroup(name, config)
    this.#groups.set(name, group)
    return group
  }

  #alias(name: string, target: string, trail: readonly string[]): ModelGroup {
    const path = ['models', name]
    const limits = limitsOf(this.#config)
    const deployment = this.#split(target)
    const behind =
      deployment || !Object.hasOwn(this.#models, target) ? undefined : this.#group(target, [...trail, name])
    if (!deployment && !behind && !Object.hasOwn(this.#models, target)) this.#tellUnknown(path, target)
    // No deployments if the target is wrong: the name stays known, so that its uses are not reported too.
    const group = behind ?? { deployments: deployment ? [deployment] : [], fallbacks: [], limits }
    this.#checkStars(path, name, group.deployments)
    return { ...group, name }
  }

  #ownGroup(name: string, config: Exclude<ModelConfig, string>): ModelGroup {
    // Missing, or with holes, where the schema rejected something.
    const deployments = (config.deployments ?? []).flatMap((entry, index) => {
      const own = typeof entry === 'string' ? { model: entry } : entry
      if (own.model === undefined) return []
      const path = ['models', name, 'deployments', index, ...(typeof entry === 'string' ? [] : ['model'])]
      const plain = this.#split(own.model)
      if (!plain) {
        this.#tellUnknown(path, own.model)
        return []
      }
      this.#checkStars(path, name, [plain])
      const { weight = 1, order = 1, rpm, tpm, params = {}, overrides = {}, contextWindow, supports, price } = own
      const { dropParams, maxOutput, imageTokens, fileTokens } = own
      const known = withValues({ contextWindow, maxOutput, supports, price }) as Deployment['known']
      const rate = (rpm ?? tpm) === undefined ? {} : { rate: { rpm, tpm } }
      const fields = { defaults: withValues(params), overrides: withValues(overrides) }
      return [
        {
          ...plain,
          weight,
          order,
          ...rate,
          ...fields,
          ...(dropParams && { dropParams }),
          ...(imageTokens && { imageTokens }),
          ...(fileTokens && { fileTokens }),
          known,
        },
      ]
    })
    deployments.sort((a, b) => a.order - b.order)
    const limits = limitsOf(this.#config, config)
    const { fallbacks = [], contextWindowFallbacks = [], contentPolicyFallbacks = [], shadow } = config
    const { rpm, tpm } = config
    const rate = (rpm ?? tpm) === undefined ? {} : { rate: { rpm, tpm } }
    const others = { fallbacks, contextWindowFallbacks, contentPolicyFallbacks, ...(shadow && { shadow }), ...rate }
    return { name, deployments, ...others, limits }
  }

  #split(target: string): Deployment | undefined {
    const slash = target.indexOf('/')
    const provider = slash > 0 ? this.#providers.get(target.slice(0, slash)) : undefined
    return provider && slash < target.length - 1 ? plainDeployment(provider, target.slice(slash + 1)) : undefined
  }

  #checkNames(catalog: Catalog): void {
    const known = new Map()
    const check = (path: readonly unknown[], name: string) => {
      const group = findGroup(catalog, name, known)
      if (!group) this.#tellUnknown(path, name)
      else if (name.includes('*')) this.#checkStars(path, undefined, group.deployments)
    }
    if (catalog.fallback !== undefined) check(['fallback'], catalog.fallback)
    for (const [name, config] of Object.entries(this.#models)) {
      if (typeof config === 'string') continue
      if (config.shadow?.model !== undefined) check(['models', name, 'shadow', 'model'], config.shadow.model)
      for (const list of ['fallbacks', 'contextWindowFallbacks', 'contentPolicyFallbacks'] as const) {
        config[list]?.forEach((fallback, index) => {
          check(['models', name, list, index], fallback)
        })
      }
    }
  }

  /** A `*` in a deployment is replaced by what the `*` of the name matched: only one, and only if the name has one. */
  #checkStars(path: readonly unknown[], name: string | undefined, deployments: readonly Deployment[]): void {
    for (const { label, model } of deployments) {
      const stars = model.split('*').length - 1
      if (stars === 0 || (stars === 1 && name?.includes('*'))) continue
      const why = name?.includes('*') ? 'only one * is filled' : 'a * needs one in the name, to know what it stands for'
      this.#problems.push(`${pathText(path)}: found ${show(label)}; ${why}`)
    }
  }

  #tellUnknown(path: readonly unknown[], name: string): void {
    const [front = ''] = name.split('/')
    // A mistake in that provider, or in `providers` as a whole, was reported already.
    const refused = Object.hasOwn(this.#config.providers ?? {}, front) && !this.#providers.has(front)
    if (refused || this.#nameless) return
    const models = Object.keys(this.#models)
    const providers = [...this.#providers.keys()].map((provider) => `${provider}/…`)
    const allowed = [...models, ...providers].join(', ') || 'nothing, since neither models nor providers are configured'
    this.#problems.push(
      `${pathText(path)}: found ${show(name)}, which is neither a model here nor provider/model${suggestion(name, models)}; allowed: ${allowed}`,
    )
  }
}
