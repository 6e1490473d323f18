import { isObject, stringAt } from '../wire/json.ts'
import type { Known } from './catalog.ts'
import { bearer, type KnownModel, type Provider, type ProviderSettings, type SlowPath } from './provider.ts'
import type { Services } from './services.ts'
import { slowPath } from './slow-path.ts'

/** Milliseconds that a list stays good, and that one may take to come. */
const freshFor = 60_000
const patience = 2_500

/** What the providers list, asked for when somebody wants to know and kept for a minute. */
export class Knowledge {
  readonly #providers: readonly Provider[]
  readonly #services: Services
  readonly #known = new Map<string, ReadonlyMap<string, KnownModel>>()
  #asked = Number.NEGATIVE_INFINITY
  #asking: Promise<void> | undefined

  constructor(providers: Iterable<Provider>, services: Services) {
    // With `apiKey: 'client'` there is no key to list with.
    this.#providers = [...providers].filter((provider) => !provider.unavailable && !provider.callersKey)
    this.#services = services
  }

  get known(): Known {
    return this.#known
  }

  /** Brings lists older than `age` (ms) up to date. Never rejects: a provider that doesn't answer keeps its last one. */
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
      // Not knowing is an ordinary state: requests still go there, and it tells of its models itself.
    } finally {
      cancel()
    }
  }
}

/** `GET /models` of an OpenAI-compatible server. Rejects when it has none. */
export async function listModels(
  settings: ProviderSettings,
  tools: SlowPath,
  provider?: Pick<Provider, 'definition'>,
): Promise<KnownModel[]> {
  const headers = { ...(provider?.definition.headers ?? bearer)(settings), ...settings.headers }
  const url = provider?.definition.url?.(settings, '/models', '') ?? `${settings.baseURL}/models`
  const response = await tools.fetch(url, { headers, signal: tools.signal })
  if (!response.ok) throw new Error(`no list: HTTP ${response.status}`)
  const list: unknown = await response.json()
  const data = isObject(list) && Array.isArray(list.data) ? list.data : []
  return data.flatMap((entry) => {
    const id = stringAt(entry, 'id')
    if (id === undefined || !isObject(entry)) return []
    const { created, owned_by: ownedBy } = entry
    const known = {
      ...(typeof created === 'number' && { created }),
      ...(typeof ownedBy === 'string' && { ownedBy }),
    }
    return [{ id, ...known, ...contextOf(entry) }]
  })
}

/** The context window in tokens, under the names that vLLM, llama.cpp, OpenRouter and Groq give it. */
function contextOf(entry: { readonly [key: string]: unknown }): { contextWindow?: number } {
  const meta = isObject(entry.meta) ? entry.meta.n_ctx : undefined
  const window = entry.max_model_len ?? entry.context_length ?? entry.context_window ?? meta
  return typeof window === 'number' && window > 0 ? { contextWindow: window } : {}
}
