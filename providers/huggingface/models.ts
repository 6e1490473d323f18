import { listModels } from '../../src/core/knowledge.ts'
import { fetchModelList } from '../../src/core/model-list.ts'
import { bearer, type KnownModel, type Price, type ProviderSettings } from '../../src/core/provider.ts'
import { isObject, type JsonObject, stringAt } from '../../src/wire/json.ts'
import { modalitiesOf, priceIn } from '../../src/wire/model-facts.ts'

/** Lists the router's models. A model can do what at least one of its live providers can do. */
export async function listWithProviders(settings: ProviderSettings, tools: Parameters<typeof listModels>[1]) {
  if (settings.options.endpointUrl) {
    const baseURL = /\/v1$/.test(settings.baseURL) ? settings.baseURL : `${settings.baseURL}/v1`
    return listModels({ ...settings, baseURL }, tools)
  }
  const list = await fetchModelList(`${settings.baseURL}/models`, { ...bearer(settings), ...settings.headers }, tools)
  return list.map(
    ({ id, fields }): KnownModel => ({
      id,
      ownedBy: stringAt(fields, 'owned_by') ?? 'huggingface',
      ...liveAbilities(fields),
    }),
  )
}

function liveAbilities(entry: JsonObject): Omit<KnownModel, 'id'> {
  const all = Array.isArray(entry.providers) ? entry.providers.filter(isObject) : []
  const live = all.filter(({ status }) => status === 'live')
  const windows = live.map(({ context_length: length }) => length).filter((length) => typeof length === 'number')
  const lacks = (key: string) => live.length > 0 && live.every((provider) => provider[key] === false)
  const prices = live.map(({ pricing }) => priceIn(pricing).price).filter((price) => price !== undefined)
  const has = (key: string) => live.some((provider) => provider[key] === true)
  const modalities = modalitiesOf(entry)
  return {
    ...(windows.length > 0 && { contextWindow: Math.max(...windows) }),
    // The router decides which provider answers, and none costs more than this.
    ...(prices.length > 0 && {
      price: { input: highest(prices, 'input'), output: highest(prices, 'output') },
    }),
    ...modalities,
    supports: {
      ...((has('supports_tools') || lacks('supports_tools')) && { tools: has('supports_tools') }),
      ...((has('supports_structured_output') || lacks('supports_structured_output')) && {
        schema: has('supports_structured_output'),
      }),
      ...(modalities.inputs && { vision: modalities.inputs.includes('image') }),
    },
  }
}

function highest(prices: readonly Price[], side: 'input' | 'output'): number {
  return Math.max(...prices.map((price) => price[side]))
}
