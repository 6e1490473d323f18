import type { Catalog } from '../core/catalog.ts'
import type { Price } from '../wire/model-facts.ts'

/**
 * The configured price of each `provider/model`, which holds wherever that is asked without one, such as by its address.
 * Undefined where two differ.
 */
export function agreedPrices({ models }: Pick<Catalog, 'models'>): ReadonlyMap<string, Price | undefined> {
  const prices = new Map<string, Price | undefined>()
  for (const { label, known } of [...models.values()].flatMap(({ deployments }) => deployments)) {
    const { price } = known
    if (!price) continue
    const agrees = !prices.has(label) || JSON.stringify(prices.get(label)) === JSON.stringify(price)
    prices.set(label, agrees ? price : undefined)
  }
  return prices
}
