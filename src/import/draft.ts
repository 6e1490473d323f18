import type { Config, ModelConfig, ProviderConfig } from '../config/schema.ts'
import { makePattern, matchPattern } from '../core/patterns.ts'
import type { Notes } from './notes.ts'
import type { Key } from './secrets.ts'
import type { Path } from './source.ts'

type ModelFields = Exclude<ModelConfig, string>
type DeploymentFields = Exclude<ModelFields['deployments'][number], string>

/** A provider whose name and whose key's variable are found at the end, when all are known. */
export interface DraftProvider {
  readonly wanted: string
  readonly config: ProviderConfig
  readonly key: Key | undefined
  /** The variable that a key which is written out gets, if it is free. */
  readonly variable: string
  readonly keyAt: Path[]
  name: string
}

export interface DraftDeployment {
  readonly provider: DraftProvider
  readonly model: string
  readonly fields: Omit<DeploymentFields, 'model'>
}

/** `deployments` may stay empty: a model of which nothing could be carried. */
export interface DraftModel {
  readonly deployments: DraftDeployment[]
  readonly fields: Omit<ModelFields, 'deployments'>
}

export interface AskedProvider {
  readonly wanted: string
  readonly config: ProviderConfig
  readonly key: Key | undefined
  readonly variable: string
  /** Where the key stands in the source. */
  readonly keyAt: Path
}

/** A configuration in the making. */
export class Draft {
  readonly models = new Map<string, DraftModel>()
  readonly aliases = new Map<string, string>()
  readonly settings: Omit<Config, 'providers' | 'models'> = {}
  /** Variables that the source names or that take the place of what it has written out. */
  readonly variables = new Set<string>()
  /** Models that get copies of the requests of others. */
  readonly shadows: { readonly of: string; readonly to: string; readonly from: Path }[] = []
  readonly #providers = new Map<string, DraftProvider>()
  readonly #numbers = new Map<string, number>()
  readonly #notes: Notes

  constructor(notes: Notes) {
    this.#notes = notes
  }

  /** From 1, the same for the same text: to tell what has no name. */
  numberOf(text: string): number {
    const number = this.#numbers.get(text) ?? this.#numbers.size + 1
    this.#numbers.set(text, number)
    return number
  }

  /** The provider with these settings; the same for the same settings and key. */
  provider({ wanted, config, key, variable, keyAt }: AskedProvider): DraftProvider {
    const identity = JSON.stringify([config, key])
    const provider = this.#providers.get(identity) ?? { wanted, config, key, variable, keyAt: [], name: wanted }
    if (key && 'literal' in key) provider.keyAt.push(keyAt)
    this.#providers.set(identity, provider)
    return provider
  }

  model(name: string): DraftModel {
    const known = this.models.get(name)
    if (known) return known
    const model = { deployments: [], fields: {} }
    this.models.set(name, model)
    return model
  }

  /** Whether a name stands for a model here: by itself or by a pattern. */
  serves(name: string): boolean {
    if (name === '') return false
    if (this.aliases.has(name)) return true
    const own = this.models.get(name)
    if (own) return own.deployments.length > 0
    return [...this.models].some(
      ([pattern, { deployments }]) =>
        pattern.includes('*') && deployments.length > 0 && matchPattern(makePattern(pattern), name) !== undefined,
    )
  }

  /** What a name stands for that only a pattern has: its deployments, with the `*` filled. */
  filled(name: string): DraftModel | undefined {
    const patterns = [...this.models].filter(
      ([pattern, { deployments }]) => pattern.includes('*') && deployments.length > 0,
    )
    for (const [pattern, { deployments, fields }] of patterns.sort(([one], [other]) => other.length - one.length)) {
      const middle = matchPattern(makePattern(pattern), name)
      if (middle === undefined) continue
      return {
        deployments: deployments.map((own) => ({ ...own, model: own.model.replace('*', () => middle) })),
        fields: { ...fields },
      }
    }
    return undefined
  }

  /** Names the providers and their variables, and puts all together. */
  build(): Config {
    const used = this.#used()
    this.#nameProviders(used)
    const providers = this.#nameKeys(used)
    const models = [...this.models].flatMap(([name, model]) => {
      const built = buildModel(model)
      return built === undefined ? [] : [[name, built] as const]
    })
    return {
      // Without models of the source's own, what the gateway finds by itself will do.
      ...(this.models.size > 0 && { providers: Object.fromEntries(providers) }),
      ...((models.length > 0 || this.aliases.size > 0) && {
        models: Object.fromEntries<ModelConfig>([...models, ...this.aliases]),
      }),
      ...this.settings,
    }
  }

  #used(): DraftProvider[] {
    const used = new Set(
      [...this.models.values()].flatMap(({ deployments }) => deployments.map(({ provider }) => provider)),
    )
    return [...this.#providers.values()].filter((provider) => used.has(provider))
  }

  #nameProviders(used: readonly DraftProvider[]): void {
    const taken = this.#shadowing()
    for (const provider of used) {
      const base = provider.wanted.replaceAll(/[/*\s]/g, '-') || 'provider'
      let name = base
      for (let next = 2; taken.has(name); next++) name = `${base}-${next}`
      taken.add(name)
      provider.name = name
    }
  }

  /**
   * The names that would hide a pattern: `provider/model` comes before `provider/*`. None where the pattern is nothing
   * but that provider.
   */
  #shadowing(): Set<string> {
    const names = [...this.models].flatMap(([name, model]) => {
      const [front = ''] = name.split('/')
      if (!name.includes('*') || !name.includes('/') || front.includes('*')) return []
      const [only] = model.deployments
      const same = isPlain(model) && only?.model === '*' && only.provider.wanted === front && name === `${front}/*`
      return same ? [] : [front]
    })
    return new Set(names)
  }

  #nameKeys(used: readonly DraftProvider[]): [string, ProviderConfig][] {
    const taken = new Set(this.variables)
    // The variable that a provider without a key of its own reads.
    for (const { key, variable } of used) if (!key) taken.add(variable)
    const literals = new Map<string, string>()
    return used.map(({ name, config, key, variable: base, keyAt }) => {
      if (!key) return [name, config]
      if ('variable' in key) return [name, { ...config, apiKey: `env:${key.variable}` }]
      const known = literals.get(key.literal)
      let variable = known ?? base
      for (let next = 2; known === undefined && taken.has(variable); next++) variable = `${base}_${next}`
      literals.set(key.literal, variable)
      taken.add(variable)
      this.variables.add(variable)
      for (const from of keyAt) {
        this.#notes.changed(from, `a key that is written out is not copied; put it into ${variable}`, () => [
          'providers',
          name,
          'apiKey',
        ])
      }
      return [name, { ...config, apiKey: `env:${variable}` }]
    })
  }
}

/** Whether a model is nothing but one deployment. */
export function isPlain({ deployments, fields }: DraftModel): boolean {
  const [only] = deployments
  return deployments.length === 1 && Object.keys(fields).length === 0 && Object.keys(only?.fields ?? {}).length === 0
}

function buildModel(model: DraftModel): ModelConfig | undefined {
  const deployments = model.deployments.map(({ provider, model: own, fields }) => {
    const target = `${provider.name}/${own}`
    return Object.keys(fields).length === 0 ? target : { model: target, ...fields }
  })
  if (deployments.length === 0) return undefined
  const [only] = deployments
  return isPlain(model) && typeof only === 'string' ? only : { deployments, ...model.fields }
}
