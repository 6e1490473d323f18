import { factsOf } from '../wire/model-facts.ts'
import type { Known } from './catalog.ts'
import { fetchModelList } from './model-list.ts'
import { bearer, type KnownModel, type Provider, type ProviderSettings, type SlowPath } from './provider.ts'
import type { Services } from './services.ts'
import { slowPath } from './slow-path.ts'

/** Milliseconds: how long a list stays fresh, and how long to wait for one. */
const freshFor = 60_000
const patience = 2_500

/** The providers' lists of models, fetched on demand and kept for a minute. */
export class Knowledge {
  readonly #providers: readonly Provider[]
  readonly #services: Services
  readonly #known = new Map<string, ReadonlyMap<string, KnownModel>>()
  #asked = Number.NEGATIVE_INFINITY
  #asking: Promise<void> | undefined

  constructor(providers: Iterable<Provider>, services: Services) {
    // With `apiKey: 'client'` the gateway has no key to fetch a list with.
    this.#providers = [...providers].filter((provider) => !provider.unavailable && !provider.callersKey)
    this.#services = services
  }

  get known(): Known {
    return this.#known
  }

  /** Begins with the list that another has of a provider, until there is a newer one. */
  adopt(other: Knowledge, name: string): void {
    const list = other.#known.get(name)
    if (list) this.#known.set(name, list)
  }

  /** Refreshes lists older than `age` (ms). Never rejects: a provider that doesn't answer keeps its last list. */
  refresh(age = freshFor): Promise<void> {
    if (this.#services.clock.now() - this.#asked < age) return this.#asking ?? Promise.resolve()
    this.#asked = this.#services.clock.now()
    const all = this.#providers.map((provider) => this.#ask(provider))
    this.#asking = Promise.all(all).then(() => {
      this.#asking = undefined
    })
    return this.#asking
  }

  async #ask(provider: Provider): Promise<void> {
    const stop = new AbortController()
    const cancel = this.#services.clock.after(patience, () => stop.abort(new Error('no list in time')))
    const tools = slowPath(this.#services, stop.signal)
    try {
      const models = await (provider.definition.models ?? listModels)(provider.settings, tools, provider)
      this.#known.set(provider.name, new Map(models.map((model) => [model.id, model])))
    } catch {
      // A missing list is normal: requests still go to the provider, which then says itself which models it has.
    } finally {
      cancel()
    }
  }
}

/** `GET /models` of a server, in whatever shape it lists them. Rejects if the server has no list. */
export async function listModels(
  settings: ProviderSettings,
  tools: SlowPath,
  provider?: Pick<Provider, 'definition'>,
): Promise<KnownModel[]> {
  const headers = { ...(provider?.definition.headers ?? bearer)(settings), ...settings.headers }
  const url = provider?.definition.url?.(settings, '/models', '') ?? `${settings.baseURL}/models`
  const list = await fetchModelList(url, headers, tools)
  return list.map(({ id, fields }) => ({ id, ...factsOf(fields) }))
}
