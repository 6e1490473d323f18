import type { Deployment, Known } from '../core/catalog.ts'
import { priceOf as plainPriceOf } from '../core/listed.ts'
import type { Log } from '../core/log.ts'
import type { Provider } from '../core/provider.ts'
import type { Price } from '../wire/model-facts.ts'
import type { Catalogue } from './catalogue.ts'
import type { PriceSource } from './money.ts'
import { free, type Tariffs, tariffsOf } from './rates.ts'

/** What a deployment costs, and who says so. */
export interface Priced {
  readonly tariffs: Tariffs
  readonly source: PriceSource
}

export interface BookOptions {
  /** The providers' lists of models, for their prices. */
  readonly known: Known
  /** Those that the configuration says of a deployment elsewhere, by label. */
  readonly agreed?: ReadonlyMap<string, Price | undefined> | undefined
  /** Absent: prices are only known where the configuration or a provider's list has them. */
  readonly catalogue?: Catalogue | undefined
  readonly now: () => number
  readonly log: Log
}

/** Deployments that a warning was about: names that clients make up must not fill the memory. */
const mostWarned = 1_000

/**
 * The prices of deployments: the configured one, else none at all where nobody bills, else that on the provider's list,
 * else the catalogue's.
 */
export class PriceBook {
  readonly #options: BookOptions
  /** By the prices in dollars that they are made of: those last, while a deployment may be made for one request. */
  readonly #priced = new WeakMap<Price | Tariffs, Priced>()
  readonly #warned = new Set<string>()

  constructor(options: BookOptions) {
    this.#options = options
  }

  /** The day of the prices in the catalogue: `2026-09-23`. */
  get catalogueDate(): string | undefined {
    return this.#options.catalogue?.date
  }

  priceOf(deployment: Deployment): Priced | undefined {
    const { known, provider, model, label } = deployment
    const configured = known.price ?? this.#options.agreed?.get(label)
    if (configured) return this.#of(configured, 'configured')
    if (isFree(provider, model)) return atNoPrice
    const listed = plainPriceOf(deployment, this.#options.known)
    if (listed) return this.#of(listed, 'listed')
    const { catalogue, now } = this.#options
    const { definition, settings } = provider
    const found = catalogue?.find(definition.type, settings.baseURL, model, now())
    return found && this.#kept(found, () => ({ tariffs: found, source: 'catalogue' }))
  }

  /** The same for those who can't do without. Where there is none, the log says so once for each deployment. */
  neededPriceOf(deployment: Deployment): Priced | undefined {
    const priced = this.priceOf(deployment)
    const { label } = deployment
    if (!priced && !this.#warned.has(label) && this.#warned.size < mostWarned) {
      this.#warned.add(label)
      this.#options.log(`The price of ${label} is not known. Set \`price\` of its deployment.`, 'warn')
    }
    return priced
  }

  #of(price: Price, source: PriceSource): Priced {
    return this.#kept(price, () => ({ tariffs: tariffsOf(price), source }))
  }

  #kept(key: Price | Tariffs, make: () => Priced): Priced {
    let priced = this.#priced.get(key)
    if (!priced) {
      priced = make()
      this.#priced.set(key, priced)
    }
    return priced
  }
}

const atNoPrice: Priced = { tariffs: free, source: 'free' }

function isFree({ definition, settings }: Provider, model: string): boolean {
  const { free: said } = definition
  return typeof said === 'function' ? said(settings, model) : said === true
}
