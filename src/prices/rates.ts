import type { Price, TokenPrice } from '../wire/model-facts.ts'

/**
 * What each thing costs: whole numbers of pico-dollars, a token or a piece. $0.0375 for a million tokens is 37,500. Absent
 * ones aren't billed apart: see `costOf` for what counts in their place.
 */
export interface Rates {
  readonly input?: number
  readonly output?: number
  /** Input that is read from a cache, and that is written to one; `1h`: to be kept for an hour. */
  readonly cachedInput?: number
  readonly cacheWrite?: number
  readonly cacheWrite1h?: number
  readonly audioInput?: number
  readonly cachedAudioInput?: number
  readonly imageInput?: number
  readonly cachedImageInput?: number
  readonly audioOutput?: number
  readonly imageOutput?: number
  /** A picture that is made. */
  readonly image?: number
  /** Of audio that is heard. */
  readonly second?: number
  /** Of a text that is spoken. */
  readonly character?: number
  readonly request?: number
  /** A search of the web by the provider. */
  readonly search?: number
}

/** The rates of all requests whose input is longer than `above` tokens. */
export interface Tier {
  readonly above: number
  readonly rates: Rates
}

export interface Tariff {
  readonly rates: Rates
  /** By `above`, the longest first. */
  readonly tiers: readonly Tier[]
}

/** What a model costs, ready to be counted with. */
export interface Tariffs extends Tariff {
  /** Those of service tiers that have their own, by their names in requests and answers: `flex`, `priority`. */
  readonly services: ReadonlyMap<string, Tariff>
}

/** Dollars for a million tokens, by the names of the rates. */
const perMillionTokens = [
  ...(['input', 'output', 'cachedInput', 'cacheWrite', 'cacheWrite1h', 'audioInput', 'cachedAudioInput'] as const),
  ...(['imageInput', 'cachedImageInput', 'audioOutput', 'imageOutput'] as const),
] as const satisfies readonly (keyof Rates & keyof TokenPrice)[]

/** Nothing costs anything. */
export const free: Tariffs = {
  rates: { input: 0, output: 0, image: 0, second: 0, character: 0, request: 0, search: 0 },
  tiers: [],
  services: new Map(),
}

/** The tariffs of a price in dollars. Rounds up to whole pico-dollars, so that nothing that costs something is free. */
export function tariffsOf(price: Partial<Price>): Tariffs {
  const tariff = tariffOf(price)
  const services = Object.entries(price.serviceTiers ?? {}).flatMap(([name, own]) => {
    if (own === undefined) return []
    return [[name, typeof own === 'number' ? multiplied(tariff, own) : tariffOf({ ...pieces(price), ...own })] as const]
  })
  return { ...tariff, services: new Map(services) }
}

function tariffOf(price: Partial<Price>): Tariff {
  const tiers = (price.tiers ?? []).map(({ above, ...own }) => ({
    above,
    rates: ratesOf({ ...pieces(price), ...own }),
  }))
  return { rates: ratesOf(price), tiers: tiers.sort((a, b) => b.above - a.above) }
}

/** What is billed by the piece costs the same in a tier that says nothing of it. */
function pieces({ image, minute, characters, request, search }: Partial<Price>): Partial<Price> {
  return { image, minute, characters, request, search } as Partial<Price>
}

function ratesOf(price: Partial<Price>): Rates {
  const { image, minute, characters, request, search } = price
  const all = {
    ...Object.fromEntries(perMillionTokens.map((name) => [name, pico(price[name], 1e6)])),
    ...{ image: pico(image, 1e12), second: pico(minute, 1e12 / 60), character: pico(characters, 1e6) },
    ...{ request: pico(request, 1e12), search: pico(search, 1e12) },
  }
  return Object.fromEntries(Object.entries(all).filter(([, rate]) => rate !== undefined))
}

function multiplied({ rates, tiers }: Tariff, factor: number): Tariff {
  const times = (all: Rates): Rates =>
    Object.fromEntries(Object.entries(all).map(([name, rate]) => [name, wholeUp((rate as number) * factor)]))
  return { rates: times(rates), tiers: tiers.map(({ above, rates: own }) => ({ above, rates: times(own) })) }
}

function pico(dollars: number | undefined, factor: number): number | undefined {
  return dollars === undefined ? undefined : wholeUp(dollars * factor)
}

/** The next whole number. What the last digits of a float make of one is still that one. */
function wholeUp(number: number): number {
  return Math.min(Number.MAX_SAFE_INTEGER, Math.ceil(Number(number.toPrecision(13))))
}
