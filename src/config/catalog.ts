import * as v from 'valibot'
import {
  type Catalog,
  type Deployment,
  findGroup,
  type Limits,
  type ModelGroup,
  plainDeployment,
} from '../core/catalog.ts'
import { PatternIndex } from '../core/patterns.ts'
import type { Provider } from '../core/provider.ts'
import { ConfigError, describeIssue, pathText, show, suggestion } from './problems.ts'
import { buildProvider, type Environment, type Registry } from './providers.ts'
import { type Config, configSchema, type ModelConfig } from './schema.ts'
import { type Findings, noFindings } from './secrets.ts'

type LimitsConfig = Pick<Config, keyof Limits>

/** Times in seconds. */
const defaultLimits = { timeout: 600, streamTimeout: 120, idleTimeout: 120, retries: 2, streams: undefined } as const

/**
 * Checks a configuration and makes it ready to serve. Throws a `ConfigError` with every mistake that it found; a
 * secret that is not set is no mistake, it only makes its provider unavailable.
 */
export function buildCatalog(input: unknown, registry: Registry, env: Environment, source?: string): Catalog {
  const out = noFindings()
  const catalog = readCatalog(input, registry, env, out)
  if (out.problems.length > 0) throw new ConfigError(out.problems, source)
  return catalog
}

/** The same, but the mistakes go to `out`; where there are any, the catalog is not to be served from. */
export function readCatalog(input: unknown, registry: Registry, env: Environment, out: Findings): Catalog {
  const parsed = v.safeParse(configSchema, input)
  if (!parsed.success) out.problems.push(...parsed.issues.map(describeIssue))
  return new CatalogBuilder(parsed.success ? parsed.output : {}, out).build(registry, env)
}

/** Times in milliseconds, and the model's own limits before the general ones. */
function limitsOf(general: LimitsConfig, own: LimitsConfig = {}): Limits {
  const pick = <K extends keyof Limits>(key: K) => own[key] ?? general[key] ?? defaultLimits[key]
  return {
    timeout: pick('timeout') * 1000,
    streamTimeout: pick('streamTimeout') * 1000,
    idleTimeout: pick('idleTimeout') * 1000,
    retries: pick('retries'),
    streams: pick('streams'),
  }
}

class CatalogBuilder {
  readonly #config: Config
  readonly #out: Findings
  readonly #problems: string[]
  readonly #providers = new Map<string, Provider>()
  readonly #groups = new Map<string, ModelGroup>()
  readonly #models: Readonly<Record<string, ModelConfig>>

  constructor(config: Config, out: Findings) {
    this.#config = config
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
    this.#checkCycles()
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
    }
  }

  /** The group behind a configured name; `trail` holds the aliases followed so far. */
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
    if (group) this.#groups.set(name, group)
    return group
  }

  #alias(name: string, target: string, trail: readonly string[]): ModelGroup | undefined {
    const deployment = this.#split(target)
    if (deployment) {
      return { name, deployments: [deployment], fallbacks: [], limits: limitsOf(this.#config) }
    }
    if (Object.hasOwn(this.#models, target)) {
      const group = this.#group(target, [...trail, name])
      return group && { ...group, name }
    }
    this.#problems.push(this.#unknown(['models', name], target))
    return undefined
  }

  #ownGroup(name: string, config: Exclude<ModelConfig, string>): ModelGroup {
    const deployments = config.deployments.flatMap((entry, index) => {
      const own = typeof entry === 'string' ? { model: entry } : entry
      const path = ['models', name, 'deployments', index, ...(typeof entry === 'string' ? [] : ['model'])]
      const plain = this.#split(own.model)
      if (!plain) {
        this.#problems.push(this.#unknown(path, own.model))
        return []
      }
      const { weight = 1, params = {}, overrides = {}, contextWindow, supports } = own
      const known = { ...(contextWindow && { contextWindow }), ...(supports && { supports }) } as Deployment['known']
      return [{ ...plain, weight, defaults: params, overrides, known }]
    })
    const limits = limitsOf(this.#config, config)
    return { name, deployments, fallbacks: config.fallbacks ?? [], limits }
  }

  #split(target: string): Deployment | undefined {
    const slash = target.indexOf('/')
    const provider = slash > 0 ? this.#providers.get(target.slice(0, slash)) : undefined
    return provider && slash < target.length - 1 ? plainDeployment(provider, target.slice(slash + 1)) : undefined
  }

  #checkNames(catalog: Catalog): void {
    const known = new Map()
    const check = (path: readonly unknown[], name: string) => {
      if (!findGroup(catalog, name, known)) this.#problems.push(this.#unknown(path, name))
    }
    if (catalog.fallback !== undefined) check(['fallback'], catalog.fallback)
    for (const [name, config] of Object.entries(this.#models)) {
      if (typeof config === 'string') continue
      config.fallbacks?.forEach((fallback, index) => {
        check(['models', name, 'fallbacks', index], fallback)
      })
    }
  }

  #checkCycles(): void {
    const clear = new Set<string>()
    const visit = (name: string, trail: readonly string[]): void => {
      const start = trail.indexOf(name)
      if (start >= 0) {
        const cycle = [...trail.slice(start), name]
        this.#problems.push(
          `${pathText(['models', name, 'fallbacks'])}: the fallbacks go in a circle (${cycle.join(' → ')})`,
        )
        return
      }
      if (clear.has(name)) return
      const config = this.#models[name]
      const next = config === undefined ? [] : typeof config === 'string' ? [config] : (config.fallbacks ?? [])
      for (const following of next) visit(following, [...trail, name])
      clear.add(name)
    }
    for (const [name, config] of Object.entries(this.#models)) if (typeof config !== 'string') visit(name, [])
  }

  #unknown(path: readonly unknown[], name: string): string {
    const models = Object.keys(this.#models)
    const providers = [...this.#providers.keys()].map((provider) => `${provider}/…`)
    const allowed = [...models, ...providers].join(', ') || 'nothing, since neither models nor providers are configured'
    return `${pathText(path)}: found ${show(name)}, which is neither a model here nor provider/model${suggestion(name, models)}; allowed: ${allowed}`
  }
}
