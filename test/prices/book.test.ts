import { describe, expect, it } from 'vitest'
import { registry } from '../../providers/index.ts'
import { buildCatalog } from '../../src/config/catalog.ts'
import type { Config } from '../../src/config/schema.ts'
import { type Deployment, findGroup, type Known } from '../../src/core/catalog.ts'
import { agreedPrices } from '../../src/prices/agreed.ts'
import { PriceBook } from '../../src/prices/book.ts'
import { loadPrices } from '../../src/prices/load.ts'

const catalogue = await loadPrices()
const day = Date.parse('2026-11-20')

function open(config: Config, options: { readonly known?: Known; readonly without?: boolean } = {}) {
  const known = options.known ?? new Map()
  const log: string[] = []
  const catalog = buildCatalog(config, registry, { OPENAI_API_KEY: 'k', GROQ_API_KEY: 'k' })
  const prices = options.without ? undefined : catalogue
  const agreed = agreedPrices(catalog)
  const to = (message: string) => void log.push(message)
  const book = new PriceBook({ known, agreed, catalogue: prices, now: () => day, log: to })
  const at = (name: string) => findGroup(catalog, name, known)?.deployments[0] as Deployment
  const told = (name: string) => {
    const { tariffs, source } = book.priceOf(at(name)) ?? {}
    return [source, tariffs?.rates.input, tariffs?.rates.output]
  }
  return { book, log, at, told }
}

const listed: Known = new Map([
  ['openai', new Map([['gpt-4o', { id: 'gpt-4o', price: { input: 9, output: 9 } }]])],
  ['local', new Map([['llama', { id: 'llama', price: { input: 9, output: 9 } }]])],
])

describe('The price of a deployment', () => {
  const providers = { openai: { type: 'openai' } }

  it("is the configured one, else the one on its provider's list, else the catalogue's", () => {
    const models = { mine: { deployments: [{ model: 'openai/gpt-4.1', price: { input: 1, output: 2 } }] } }
    const { told } = open({ providers, models }, { known: listed })
    expect(told('mine')).toEqual(['configured', 1_000_000, 2_000_000])
    expect(told('openai/gpt-4o')).toEqual(['listed', 9_000_000, 9_000_000])
    expect(told('openai/gpt-4o-mini')).toEqual(['catalogue', 150_000, 600_000])
    expect(told('openai/unheard-of')).toEqual([undefined, undefined, undefined])
  })

  it('is unknown without a catalogue, if nobody else says it', () => {
    const { told, book } = open({ providers }, { without: true })
    expect([told('openai/gpt-4o-mini')[0], book.catalogueDate]).toEqual([undefined, undefined])
  })

  it('is found for names that a pattern fills in', () => {
    const { told } = open({ providers, models: { 'my-*': 'openai/*' } })
    expect(told('my-gpt-4o-mini')).toEqual(['catalogue', 150_000, 600_000])
  })

  it.each([
    ['ollama', undefined, 'llama3.2', 'free'],
    ['ollama', 'http://gpu.lan:11434', 'gpt-oss:20b', 'free'],
    ['ollama', 'gpu.lan', 'llama3.2', 'free'],
    ['ollama', undefined, 'gpt-oss:120b-cloud', undefined],
    ['ollama', undefined, 'glm-4.6:cloud', undefined],
    ['ollama', 'https://ollama.com', 'gpt-oss:120b', undefined],
    ['ollama', 'ollama.com', 'gpt-oss:120b', undefined],
    ['llamacpp', undefined, 'any', 'free'],
    ['lmstudio', undefined, 'any', 'free'],
    ['vllm', undefined, 'any', 'free'],
    ['embedded', undefined, 'tiny-chat', 'free'],
    ['openai-compatible', 'http://127.0.0.1:9000/v1', 'any', undefined],
  ])('of %s at %s with %s: %s', (type, baseURL, model, source) => {
    const { told } = open({ providers: { local: { type, ...(baseURL && { baseURL }) } } })
    expect(told(`local/${model}`)[0]).toBe(source)
  })

  it('is the configured one even where nobody bills', () => {
    const models = { mine: { deployments: [{ model: 'local/llama', price: { input: 0.1, output: 0.1 } }] } }
    const { told } = open({ providers: { local: { type: 'llamacpp' } }, models }, { known: listed })
    expect([told('mine')[0], told('local/other')[0]]).toEqual(['configured', 'free'])
  })

  it('holds for the same model wherever nothing else is said of it, also by its address', () => {
    const priced = { model: 'local/m', price: { input: 1, output: 2 } }
    const models = {
      mine: { deployments: [priced] },
      same: { deployments: [{ ...priced }] },
      bare: { deployments: ['local/m'] },
    }
    const { told } = open({ providers: { local: { type: 'llamacpp' } }, models })
    for (const name of ['mine', 'bare', 'local/m']) expect(told(name)).toEqual(['configured', 1_000_000, 2_000_000])
    expect(told('local/other')[0]).toBe('free')
  })

  it('holds nowhere else if two models disagree on it', () => {
    const at = (input: number) => ({ deployments: [{ model: 'openai/gpt-4o-mini', price: { input, output: 2 } }] })
    const { told } = open({ providers, models: { mine: at(1), dear: at(3), again: at(1) } })
    expect([told('mine')[1], told('dear')[1]]).toEqual([1_000_000, 3_000_000])
    expect(told('openai/gpt-4o-mini')[0]).toBe('catalogue')
  })

  it('is counted out once, not for each request', () => {
    const { book, at } = open({ providers, models: { 'my-*': 'openai/*' } }, { known: listed })
    for (const name of ['my-gpt-4o', 'my-gpt-4o-mini']) {
      const [one, other] = [at(name), at(name)]
      expect(one).not.toBe(other)
      expect(book.priceOf(one)).toBe(book.priceOf(other))
    }
  })

  it('is missed once for each deployment, by those who need it', () => {
    const { book, log, at } = open({ providers })
    book.priceOf(at('openai/unheard-of'))
    expect(log).toEqual([])
    for (const name of ['openai/unheard-of', 'openai/unheard-of', 'openai/gpt-4o', 'openai/other'])
      book.neededPriceOf(at(name))
    expect(log).toEqual([
      'The price of openai/unheard-of is not known. Set `price` of its deployment.',
      'The price of openai/other is not known. Set `price` of its deployment.',
    ])
  })

  it('has the day of the catalogue with it', () => {
    expect(open({ providers }).book.catalogueDate).toMatch(/^20\d\d-\d\d-\d\d$/)
  })
})
