import { isObject, type JsonObject } from '../wire/json.ts'
import type { Known } from './catalog.ts'
import { fetchModelList } from './model-list.ts'
import { bearer, type KnownModel, type Price, type Provider, type ProviderSettings, type SlowPath } from './provider.ts'
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
  return list.map(({ id, fields }) => {
    const { created, owned_by: ownedBy } = fields
    return {
      id,
      ...(typeof created === 'number' && { created }),
      ...(typeof ownedBy === 'string' && { ownedBy }),
      ...contextOf(fields),
      ...priceOf(fields.pricing),
    }
  })
}

/** The price, as Together (`input`, per million tokens) and OpenRouter (`prompt`, as text, per token) list it. */
export function priceOf(pricing: unknown): { price?: Price } {
  if (!isObject(pricing)) return {}
  const { input, output, prompt, completion } = pricing
  const price = isPrice(input) ? { input, output } : { input: perMillion(prompt), output: perMillion(completion) }
  return isPrice(price.input) && isPrice(price.output) ? { price: price as Price } : {}
}

function perMillion(price: unknown): number {
  return typeof price === 'string' ? Number.parseFloat(price) * 1e6 : Number.NaN
}

/** OpenRouter's prices of routers, which depend on the request, are -1. */
function isPrice(value: unknown): value is number {
  return typeof value === 'number' && value >= 0
}

/** The context window in tokens, under the field names of vLLM, llama.cpp, OpenRouter and Groq. */
function contextOf(entry: JsonObject): { contextWindow?: number } {
  const meta = isObject(entry.meta) ? entry.meta.n_ctx : undefined
  const window = entry.max_model_len ?? entry.context_length ?? entry.context_window ?? meta
  return typeof window === 'number' && window > 0 ? { contextWindow: window } : {}
}
