import { readFile } from 'node:fs/promises'
import { calcPrice, findProvider, type MatchLogic, type ModelInfo, type Provider } from '@pydantic/genai-prices'
import { describe, expect, it } from 'vitest'
import { catalogueFile, catalogueText, installedVersion, providers } from '../../scripts/prices.ts'
import { Catalogue, type CatalogueFile } from '../../src/prices/catalogue.ts'
import { costOf } from '../../src/prices/cost.ts'
import { loadPrices } from '../../src/prices/load.ts'
import { tariffsOf } from '../../src/prices/rates.ts'
import { cpuFor } from '../support/cpu.ts'

const day = Date.parse('2026-11-20T12:00:00Z')
const openai = 'https://api.openai.com/v1'
const catalogue = await loadPrices()
const rates = (type: string, baseURL: string, model: string, now = day) =>
  catalogue.find(type, baseURL, model, now)?.rates

describe('The catalogue of prices', () => {
  it('is what the installed package says: `npm run prices` would not change it', async () => {
    const text = await readFile(catalogueFile, 'utf8')
    expect(text === catalogueText(await installedVersion(), catalogue.date)).toBe(true)
  })

  it('knows a model by its name, by a name with a date, and whatever the case', () => {
    const known = { input: 2_500_000, cachedInput: 1_250_000, output: 10_000_000, search: 10_000_000_000 }
    for (const name of ['gpt-4o', 'gpt-4o-2024-08-06', 'gpt-4o-20240806', 'GPT-4o'])
      expect(rates('openai', openai, name)).toEqual(known)
    expect(rates('openai', openai, 'gpt-9-made-up')).toBeUndefined()
  })

  it('goes by the address first, then by the type of the provider', () => {
    const claude = { input: 1_000_000, output: 5_000_000, cacheWrite1h: 2_000_000 }
    expect(rates('anthropic', 'https://api.anthropic.com', 'claude-haiku-4-5-20251001')).toMatchObject(claude)
    expect(rates('anthropic', 'https://claude.my-company.example', 'claude-haiku-4-5')).toMatchObject(claude)
    expect(rates('openai-compatible', 'https://api.x.ai/v1', 'grok-4')?.input).toBeGreaterThan(0)
    expect(rates('openai-compatible', 'http://10.0.0.5:8000/v1', 'gpt-4o')).toBeUndefined()
  })

  it("has another provider's prices for its models where one serves them", () => {
    const azure = 'https://my-resource.openai.azure.com'
    expect(rates('openai', azure, 'gpt-4.1-mini')).toMatchObject({ input: 400_000, output: 1_600_000 })
  })

  it('has prices that begin on a day', () => {
    const flash = (date: string) =>
      rates('gemini', 'https://generativelanguage.googleapis.com', 'gemini-3.8-flash', Date.parse(date))
    expect(flash('2026-12-31T23:59:59Z')).toMatchObject({ input: 750_000, output: 3_750_000 })
    expect(flash('2027-01-01T00:00:00Z')).toMatchObject({ input: 1_500_000, output: 7_500_000 })
  })

  it('does not assume a discount at night', () => {
    const { input } = rates('deepseek', 'https://api.deepseek.com/v1', 'deepseek-v4-flash') ?? {}
    expect(input).toBe(440_000)
  })

  it('forgets names that clients have made up', () => {
    for (let at = 0; at < 5000; at++) catalogue.find('openai', openai, `made-up-${at}`, day)
    expect(rates('openai', openai, 'gpt-4o')?.input).toBe(2_500_000)
  })

  it('has regular expressions that are ready at once for any name', async () => {
    const file = JSON.parse(await readFile(catalogueFile, 'utf8')) as CatalogueFile
    const long = `${'claude-'.repeat(500)}${'a'.repeat(5000)}`
    const took = await cpuFor(() => {
      for (const { address } of file.providers) expect(() => new RegExp(`^(?:${address})`)).not.toThrow()
      for (const { type = 'none' } of file.providers) new Catalogue(file).find(type, '', long, day)
    })
    expect(took).toBeLessThan(2000)
  })
})

/** A name that a rule is for, other than those that it lists. */
function examples(match: MatchLogic): readonly string[] {
  if ('or' in match) return match.or.flatMap(examples)
  if ('and' in match) return match.and.flatMap(examples)
  if ('equals' in match) return [match.equals, `${match.equals}-x`]
  if ('starts_with' in match) return [match.starts_with, `${match.starts_with}-x`]
  if ('ends_with' in match) return [`x-${match.ends_with}`]
  return 'contains' in match ? [`x${match.contains}y`] : []
}

/** What the package makes of it, in nano-dollars. Undefined: it does not know the model, or not in these units. */
function theirs(provider: Provider, model: string, usage: Parameters<typeof calcPrice>[0]) {
  try {
    return calcPrice(usage, model, { provider, timestamp: new Date(day) })
  } catch {
    return undefined
  }
}

const isHourly = ({ prices }: ModelInfo) =>
  Array.isArray(prices) && prices.some(({ constraint }) => constraint?.type === 'time_of_date')

describe('Costs by the catalogue', () => {
  it.each(Object.entries(providers))('are what the package calculates, for every name and rule of %s', (id, type) => {
    const provider = findProvider({ providerId: id }) as Provider
    const address = type === undefined ? addresses[id] : 'http://127.0.0.1:1'
    expect(address).toBeDefined()
    let compared = 0
    for (const model of provider.models.flatMap(({ match }) => examples(match))) {
      const tariffs = catalogue.find(type ?? 'none', address as string, model, day)
      for (const [input, cached, output] of [
        [1000, 0, 500],
        [300_001, 1000, 7],
      ] as const) {
        const usage = { input_tokens: input, cache_read_tokens: cached, output_tokens: output }
        const their = theirs(provider, model, usage)
        if (!tariffs) {
          // No price at all there, or one for what has no word here.
          const keys = Object.keys(their?.model_price ?? {})
          expect([model, keys.length === 0 || keys.some((key) => /video|pages|messages|citation/.test(key))]).toEqual([
            model,
            true,
          ])
          continue
        }
        if (!their || isHourly(their.model) || !('output_mtok' in their.model_price)) continue
        const ours = costOf(tariffs, { tokens: { input, output, cached, reasoning: 0 } }) ?? Number.NaN
        const off = ours - their.total_price * 1e9
        expect([model, off > -1 && off < 1 + ours * 1e-9]).toEqual([model, true])
        compared++
      }
    }
    if (id !== 'voyageai') expect(compared).toBeGreaterThan(0)
  })
})

/** Of those that have no type of their own here. */
const addresses: Readonly<Record<string, string>> = {
  arcee: 'https://api.arcee.ai/v1',
  avian: 'https://api.avian.io/v1',
  aws: 'https://bedrock-runtime.eu-west-1.amazonaws.com',
  azure: 'https://my.openai.azure.com',
  baseten: 'https://inference.baseten.co/v1',
  cerebras: 'https://api.cerebras.ai/v1',
  cloudflare: 'https://api.cloudflare.com/client/v4/accounts/x/ai/v1',
  cohere: 'https://api.cohere.ai/compatibility/v1',
  doubleword: 'https://api.doubleword.ai/v1',
  minimax: 'https://api.minimax.io/v1',
  moonshotai: 'https://api.moonshot.ai/v1',
  novita: 'https://api.novita.ai/v3/openai',
  ovhcloud: 'https://oai.endpoints.kepler.ai.cloud.ovh.net/v1',
  perplexity: 'https://api.perplexity.ai',
  voyageai: 'https://api.voyageai.com/v1',
  'x-ai': 'https://api.x.ai/v1',
  zai: 'https://api.z.ai/api/paas/v4',
  zhipuai: 'https://open.bigmodel.cn/api/paas/v4',
}

describe('Tariffs', () => {
  it('are made once for each price', () => {
    expect(catalogue.find('openai', openai, 'gpt-4o', day)).toBe(catalogue.find('openai', openai, 'gpt-4o', day + 1))
    expect(tariffsOf({ input: 1 }).services.size).toBe(0)
  })
})
