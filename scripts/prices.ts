import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import {
  type ConditionalPrice,
  calcPrice,
  findProvider,
  type ModelInfo,
  type ModelPrice,
  type Provider,
} from '@pydantic/genai-prices'
import type { CatalogueFile, CatalogueProvider, DatedPrice } from '../src/prices/catalogue.ts'
import type { PiecePrice, Price, TokenPrice } from '../src/wire/model-facts.ts'
import { namesIn, patternOf } from './price-names.ts'

/**
 * `npm run prices`: writes `src/prices/catalogue.json`, the prices of hosted models, from the figures in the package
 * `@pydantic/genai-prices` (MIT). After an update of the package it asks the registry when that was published.
 */
export const catalogueFile = fileURLToPath(new URL('../src/prices/catalogue.json', import.meta.url))

const name = '@pydantic/genai-prices'

/**
 * The package's providers, and the types of ours that have the same prices at any address: a gateway of a company's own
 * may stand before them. Left out are those whose own lists have prices: OpenRouter, and Hugging Face's router.
 */
export const providers: Readonly<Record<string, string | undefined>> = {
  ...{ openai: 'openai', anthropic: 'anthropic', google: 'gemini', groq: 'groq', mistral: 'mistral' },
  ...{ deepseek: 'deepseek', fireworks: 'fireworks', together: 'together' },
  ...Object.fromEntries(
    [
      ...['arcee', 'avian', 'aws', 'azure', 'baseten', 'cerebras', 'cloudflare', 'cohere', 'doubleword', 'minimax'],
      ...['moonshotai', 'novita', 'ovhcloud', 'perplexity', 'voyageai', 'x-ai', 'zai', 'zhipuai'],
    ].map((id) => [id, undefined]),
  ),
}

/** What the package's keys are here, and for how many of our units its price is. */
const keys: Readonly<Record<string, readonly [keyof TokenPrice | keyof PiecePrice, number]>> = {
  input_mtok: ['input', 1],
  output_mtok: ['output', 1],
  cache_read_mtok: ['cachedInput', 1],
  cache_write_mtok: ['cacheWrite', 1],
  cache_write_1h_mtok: ['cacheWrite1h', 1],
  input_audio_mtok: ['audioInput', 1],
  cache_audio_read_mtok: ['cachedAudioInput', 1],
  input_image_mtok: ['imageInput', 1],
  cache_image_read_mtok: ['cachedImageInput', 1],
  output_audio_mtok: ['audioOutput', 1],
  output_image_mtok: ['imageOutput', 1],
  input_audio_hours: ['minute', 60],
  web_searches_kcount: ['search', 1000],
  requests_kcount: ['request', 1000],
}

/** Searches in files aren't counted in any answer, and hours of audio are among those that were heard. */
const passedOver = new Set(['storage_searches_kcount', 'audio_hours'])

type Flat = Record<string, number>

/** The text of `catalogue.json`. */
export function catalogueText(version: string, date: string): string {
  const found = Object.keys(providers).map((id) => {
    const provider = findProvider({ providerId: id })
    if (!provider) throw new Error(`${name} has no provider ${id} any more.`)
    return provider
  })
  const ids = found.map(({ id }) => id)
  const file: CatalogueFile = {
    source: `${name} ${version}`,
    date,
    providers: found.map((provider) => reduced(provider, ids)),
  }
  // A line for each provider, name, pattern and price, so that the differences of an update can be read.
  return `${lines(file)}\n`
}

function lines({ providers: all, ...head }: CatalogueFile): string {
  const told = all.map(({ names, patterns, prices, ...own }) => {
    const named = Object.entries(names).map((entry) => entry.map((part) => JSON.stringify(part)).join(':'))
    return `${JSON.stringify(own).slice(0, -1)},"names":{\n${named.join(',\n')}},"patterns":[\n${each(patterns)}],"prices":[\n${each(prices)}]}`
  })
  return `${JSON.stringify(head).slice(0, -1)},"providers":[\n${told.join(',\n')}]}`
}

function each(list: readonly unknown[]): string {
  return list.map((one) => JSON.stringify(one)).join(',\n')
}

function reduced(provider: Provider, ids: readonly string[]): CatalogueProvider {
  const { id, api_pattern: address, fallback_model_providers: fallbacks = [], models } = provider
  const type = providers[id]
  const others = fallbacks.map((other) => ids.indexOf(other))
  const places = new Map<string, number>()
  const prices: (DatedPrice | null)[] = []
  const placeOf = (model: ModelInfo) => {
    const price = priceOf(model)
    const key = JSON.stringify(price)
    if (!places.has(key)) places.set(key, prices.push(price) - 1)
    return places.get(key) as number
  }
  const names = models.flatMap(({ match }) => namesIn(match)).map((one) => one.toLowerCase())
  const named = [...new Set(names)].map((one) => {
    // An earlier pattern comes before a name in the package, but here names come first.
    const model = calcPrice({}, one, { provider })?.model
    if (!model) throw new Error(`${name} does not find ${one} of ${id}.`)
    return [one, placeOf(model)] as const
  })
  const patterns = models.flatMap((model) => {
    const pattern = patternOf(model.match)
    return pattern === undefined ? [] : [[pattern, placeOf(model)] as const]
  })
  return {
    ...(type !== undefined && { type }),
    address,
    ...(others.length > 0 && { others }),
    names: Object.fromEntries(named),
    patterns,
    prices,
  }
}

/** Null if a part of it has no word here. Hours of the day with a discount are not told apart: the dearer price counts. */
function priceOf({ prices }: ModelInfo): DatedPrice | null {
  const all: readonly ConditionalPrice[] = Array.isArray(prices) ? prices : [{ prices }]
  const hourly = all.filter(({ constraint }) => constraint?.type === 'time_of_date')
  const dated = all
    .filter((one) => !hourly.includes(one))
    .map(({ constraint, prices: own }) => {
      const price = priceIn([own, ...hourly.map((one) => one.prices)])
      return [constraint?.type === 'start_date' ? constraint.start_date : undefined, price] as const
    })
  if (dated.some(([, price]) => price === undefined)) return null
  const [first, ...later] = dated as readonly (readonly [string | undefined, Partial<Price>])[]
  if (!first) return null
  if (later.length === 0) return first[1]
  return [first[1], ...later.map(([from = '', price]) => [from, price] as const)]
}

/** The dearest of several prices, with their tiers. Undefined: something in it has no word here, or it says nothing. */
function priceIn(all: readonly ModelPrice[]): Partial<Price> | undefined {
  const starts = new Set<number>()
  for (const value of all.flatMap((one) => Object.values(one))) {
    if (typeof value === 'object') for (const { start } of value.tiers) starts.add(start)
  }
  const base = flatIn(all, 0)
  if (!base || Object.keys(base).length === 0) return undefined
  const tiers = [...starts].sort((a, b) => a - b).map((above) => ({ above, ...flatIn(all, above + 1) }))
  return { ...base, ...(tiers.length > 0 && { tiers: tiers as unknown as NonNullable<Price['tiers']> }) }
}

/** The prices for an input of so many tokens. */
function flatIn(all: readonly ModelPrice[], input: number): Flat | undefined {
  const flat: Flat = {}
  for (const [key, value] of all.flatMap((one) => Object.entries(one))) {
    if (passedOver.has(key) || value === undefined) continue
    const [own, units] = keys[key] ?? []
    if (own === undefined || units === undefined) return undefined
    const dollars =
      typeof value === 'number' ? value : (value.tiers.findLast(({ start }) => input > start)?.price ?? value.base)
    flat[own] = Math.max(flat[own] ?? 0, Number((dollars / units).toPrecision(12)))
  }
  return flat
}

async function published(version: string): Promise<string> {
  const { stdout } = await promisify(execFile)('npm', ['view', name, 'time', '--json'])
  const date = (JSON.parse(stdout) as Readonly<Record<string, string>>)[version]
  if (date === undefined) throw new Error(`The registry does not say when ${name} ${version} was published.`)
  return date.slice(0, 10)
}

/** The version that is installed. */
export async function installedVersion(): Promise<string> {
  const file = new URL('../node_modules/@pydantic/genai-prices/package.json', import.meta.url)
  return (JSON.parse(await readFile(file, 'utf8')) as { readonly version: string }).version
}

async function main(): Promise<void> {
  const version = await installedVersion()
  const old = await readFile(catalogueFile, 'utf8').then(
    (text) => JSON.parse(text) as CatalogueFile,
    () => undefined,
  )
  const isSame = old?.source === `${name} ${version}`
  await writeFile(catalogueFile, catalogueText(version, isSame ? old.date : await published(version)))
}

if (import.meta.main) await main()
