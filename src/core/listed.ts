import type { Deployment, Known } from './catalog.ts'
import type { KnownModel, Price } from './provider.ts'

/** A provider's list of models; undefined if it is not known. */
export type Listed = ReadonlyMap<string, KnownModel> | undefined

/** A model on its provider's list. A name without a tag means `latest`, as on Ollama. */
export function entryOf(model: string, listed: Listed): KnownModel | undefined {
  return listed?.get(model) ?? listed?.get(`${model}:latest`)
}

/** The price of a deployment: the configured one, or that on its provider's list. */
export function priceOf({ known, provider, model }: Deployment, lists: Known): Price | undefined {
  return known.price ?? entryOf(model, lists.get(provider.name))?.price
}

/** In tokens: the configured one, or that on its provider's list. */
export function contextWindowOf({ known, model }: Deployment, listed: Listed): number | undefined {
  return known.contextWindow ?? entryOf(model, listed)?.contextWindow
}

/** The same for the most that one answer may have. */
export function maxOutputOf({ known, model }: Deployment, listed: Listed): number | undefined {
  return known.maxOutput ?? entryOf(model, listed)?.maxOutput
}
