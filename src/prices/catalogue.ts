import type { Price } from '../wire/model-facts.ts'
import { type Tariffs, tariffsOf } from './rates.ts'

/** The file `catalogue.json`, which `npm run prices` makes. */
export interface CatalogueFile {
  /** The package that it is made from, with its version. */
  readonly source: string
  /** When that was published: `2026-09-23`. */
  readonly date: string
  readonly providers: readonly CatalogueProvider[]
}

export interface CatalogueProvider {
  /** The type of the providers that it is for, whatever their address. Absent: only those at its own addresses are. */
  readonly type?: string
  /** A pattern of its base URLs. */
  readonly address: string
  /** Whose models it may serve too, at their prices: places in the list of providers. */
  readonly others?: readonly number[]
  /** Places in `prices`, by names in lower case. */
  readonly names: Readonly<Record<string, number>>
  /** For the names that aren't listed: the first pattern that fits counts. */
  readonly patterns: readonly (readonly [pattern: string, price: number])[]
  /** Null: what it costs can't be said in these terms. */
  readonly prices: readonly (DatedPrice | null)[]
}

/** What a model costs, or has cost and will: the prices from each day on, which is UTC. The first has no such day. */
export type DatedPrice =
  | Partial<Price>
  | readonly [Partial<Price>, ...(readonly [from: string, price: Partial<Price>])[]]

/** Names that clients make up must not fill the memory. */
const mostFound = 2_000

/** The prices of hosted models, as their providers publish them. */
export class Catalogue {
  /** When the prices were published: `2026-09-23`. */
  readonly date: string
  readonly #providers: readonly Listing[]
  readonly #tariffs = new WeakMap<object, Tariffs>()
  readonly #found = new Map<string, DatedPrice | undefined>()

  constructor({ date, providers }: CatalogueFile) {
    this.date = date
    this.#providers = providers.map((provider) => new Listing(provider))
  }

  /** What a model costs at `now` (ms since 1970). `type` and `baseURL` are those of its provider. */
  find(type: string, baseURL: string, model: string, now: number): Tariffs | undefined {
    const price = priceAt(this.#priceOf(type, baseURL, model), now)
    if (!price) return undefined
    let tariffs = this.#tariffs.get(price)
    if (!tariffs) {
      tariffs = tariffsOf(price)
      this.#tariffs.set(price, tariffs)
    }
    return tariffs
  }

  #priceOf(type: string, baseURL: string, model: string): DatedPrice | undefined {
    const key = `${type} ${baseURL} ${model}`
    if (this.#found.has(key)) return this.#found.get(key)
    const provider =
      this.#providers.find((one) => one.isAt(baseURL)) ?? this.#providers.find((one) => one.data.type === type)
    const price = provider && this.#search(provider, model.toLowerCase())
    if (this.#found.size >= mostFound) this.#found.clear()
    this.#found.set(key, price)
    return price
  }

  #search(provider: Listing, model: string): DatedPrice | undefined {
    for (const name of new Set([model, withDashes(model)])) {
      const own = provider.find(name)
      if (own !== undefined) return own ?? undefined
      for (const other of provider.data.others ?? []) {
        const found = this.#providers[other]?.find(name)
        if (found !== undefined) return found ?? undefined
      }
    }
    return undefined
  }
}

/** The models of one provider. Patterns are made ready when a name first needs them. */
class Listing {
  readonly data: CatalogueProvider
  readonly #names: ReadonlyMap<string, number>
  #address: RegExp | undefined
  #patterns: readonly (readonly [RegExp, number])[] | undefined

  constructor(data: CatalogueProvider) {
    this.data = data
    this.#names = new Map(Object.entries(data.names))
  }

  isAt(baseURL: string): boolean {
    this.#address ??= new RegExp(`^(?:${this.data.address})`)
    return this.#address.test(baseURL)
  }

  /** Null: it is known, but not its price. */
  find(name: string): DatedPrice | null | undefined {
    const place = this.#names.get(name) ?? this.#fitting(name)
    return place === undefined ? undefined : this.data.prices[place]
  }

  #fitting(name: string): number | undefined {
    this.#patterns ??= this.data.patterns.map(([pattern, place]) => [new RegExp(pattern), place])
    return this.#patterns.find(([pattern]) => pattern.test(name))?.[1]
  }
}

/** A name with a date in it in OpenAI's form, which others write as one number. */
function withDashes(name: string): string {
  return name.replace(/-(20\d\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?=-|:|$)/g, '-$1-$2-$3')
}

function priceAt(dated: DatedPrice | undefined, now: number): Partial<Price> | undefined {
  if (!isDated(dated)) return dated
  const [first, ...later] = dated
  return later.findLast(([from]) => Date.parse(from) <= now)?.[1] ?? first
}

function isDated(price: DatedPrice | undefined): price is Extract<DatedPrice, readonly unknown[]> {
  return Array.isArray(price)
}
