import type { Catalog, Deployment } from '../core/catalog.ts'
import type { Services } from '../core/services.ts'
import type { Tokens } from '../core/tokens.ts'
import type { JsonObject } from '../wire/json.ts'
import { agreedPrices } from './agreed.ts'
import { type BookOptions, PriceBook } from './book.ts'
import { costOf } from './cost.ts'
import type { Money, PriceSource } from './money.ts'
import { type Pieces, usageOf } from './usage.ts'

/** What one request used and costs, as far as that is known. */
export interface Charge {
  readonly tokens: Tokens | undefined
  readonly cost: Money | undefined
  readonly priceSource: PriceSource | undefined
}

export interface Pricing {
  readonly book: PriceBook
  /** `usage`: in the words of the API that told it. Undefined: it isn't known whether anything was used. */
  charge(usage: JsonObject | undefined, pieces: Pieces | undefined, served: Deployment | undefined): Charge | undefined
}

export interface PricingOptions extends Pick<BookOptions, 'known' | 'catalogue'>, Pick<Services, 'clock' | 'log'> {
  readonly catalog: Pick<Catalog, 'models'>
}

export function createPricing({ catalog, known, catalogue, clock, log }: PricingOptions): Pricing {
  const book = new PriceBook({ known, agreed: agreedPrices(catalog), catalogue, log, now: () => clock.now() })
  /** Asked for twice of most answers: for the report, and by whoever pays. */
  let last: { readonly told: JsonObject; readonly served: Deployment; readonly charge: Charge | undefined } | undefined

  function chargeOf(told: JsonObject | undefined, pieces: Pieces | undefined, served: Deployment | undefined) {
    const usage = usageOf(told, pieces)
    if (!usage) return undefined
    const priced = served && book.priceOf(served)
    const cost = priced && costOf(priced.tariffs, usage)
    return { tokens: usage.tokens, cost, priceSource: cost === undefined ? undefined : priced?.source }
  }

  return {
    book,
    charge(told, pieces, served) {
      if (!told || !served || pieces) return chargeOf(told, pieces, served)
      if (last?.told === told && last.served === served) return last.charge
      const charge = chargeOf(told, pieces, served)
      last = { told, served, charge }
      return charge
    },
  }
}
