import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { costOf } from '../../src/prices/cost.ts'
import { free, tariffsOf } from '../../src/prices/rates.ts'
import { type Usage, usageOf } from '../../src/prices/usage.ts'
import { type Bound, worstCost } from '../../src/prices/worst.ts'
import type { OtherPrice, Price } from '../../src/wire/model-facts.ts'

const nano = 1e9
const cost = (price: Partial<Price>, told: Parameters<typeof usageOf>[0], pieces?: Parameters<typeof usageOf>[1]) => {
  const usage = usageOf(told, pieces)
  return usage && costOf(tariffsOf(price), usage)
}

describe('A request', () => {
  it('costs whole nano-dollars, rounded up once', () => {
    const price = { input: 0.0375, output: 0.15 }
    expect(cost(price, { prompt_tokens: 1, completion_tokens: 0 })).toBe(38)
    expect(cost(price, { prompt_tokens: 1000, completion_tokens: 0 })).toBe(37_500)
    expect(cost(price, { prompt_tokens: 3, completion_tokens: 5 })).toBe(863)
  })

  it('costs less for what came from a cache, and more for what went into one', () => {
    const price = { input: 3, output: 15, cachedInput: 0.3, cacheWrite: 3.75, cacheWrite1h: 6 }
    const told = {
      ...{ input_tokens: 10, cache_read_input_tokens: 1000, cache_creation_input_tokens: 300, output_tokens: 20 },
      cache_creation: { ephemeral_5m_input_tokens: 100, ephemeral_1h_input_tokens: 200 },
    }
    expect(cost(price, told)).toBe(10 * 3000 + 1000 * 300 + 100 * 3750 + 200 * 6000 + 20 * 15_000)
  })

  it('counts each token once, whatever it is besides', () => {
    const price = { input: 4, output: 16, cachedInput: 0.4, audioInput: 32, cachedAudioInput: 0.5, audioOutput: 64 }
    const told = {
      ...{ input_tokens: 100, output_tokens: 50 },
      input_token_details: { audio_tokens: 60, cached_tokens: 50, cached_tokens_details: { audio_tokens: 40 } },
      output_token_details: { audio_tokens: 30, reasoning_tokens: 10 },
    }
    const input = 20 * 32_000 + 40 * 500 + 10 * 400 + 30 * 4000
    expect(cost(price, told)).toBe(input + 30 * 64_000 + 20 * 16_000)
  })

  it.each([
    ['a cache', { prompt_tokens_details: { cached_tokens: 90 } }],
    ['writing to one', { prompt_tokens_details: { cache_write_tokens: 90 } }],
    ['audio', { prompt_tokens_details: { audio_tokens: 90 }, completion_tokens_details: { audio_tokens: 9 } }],
    ['pictures', { prompt_tokens_details: { image_tokens: 90 }, completion_tokens_details: { image_tokens: 9 } }],
    ['more parts than there are', { prompt_tokens_details: { cached_tokens: 500, audio_tokens: 500 } }],
  ])('costs the plain price where none is known for %s', (_, details) => {
    expect(cost({ input: 2, output: 8 }, { prompt_tokens: 100, completion_tokens: 10, ...details })).toBe(280_000)
  })

  it('costs more as a whole if its input is long', () => {
    const price = { input: 1, output: 10, tiers: [{ above: 1000, input: 2, output: 15, request: 0.5 }], request: 0.25 }
    expect(cost(price, { prompt_tokens: 1000, completion_tokens: 10 })).toBe(1_100_000 + 0.25 * nano)
    expect(cost(price, { prompt_tokens: 1001, completion_tokens: 10 })).toBe(2_152_000 + 0.5 * nano)
  })

  it('costs what its service tier does', () => {
    const price = { input: 2, output: 8, serviceTiers: { flex: 0.5, priority: { input: 3.5, output: 14 } } }
    const told = (service_tier?: string) => ({ prompt_tokens: 1000, completion_tokens: 1000, service_tier })
    const costs = ['default', 'flex', 'priority', 'batch', undefined].map((tier) => cost(price, told(tier)))
    expect(costs).toEqual([10_000_000, 5_000_000, 17_500_000, 10_000_000, 10_000_000])
  })

  it('has no known cost if its service tier may cost more than is known', () => {
    expect(cost({ input: 2, output: 8 }, { prompt_tokens: 1, service_tier: 'priority' })).toBeUndefined()
  })

  it('can be billed by the piece', () => {
    const tokens = { input: 0, output: 0 }
    expect(cost({ ...tokens, image: 0.04 }, undefined, { images: 3 })).toBe(0.12 * nano)
    expect(cost({ minute: 0.006 }, { type: 'duration', seconds: 90 })).toBe(0.009 * nano)
    expect(cost({ ...tokens, characters: 15 }, undefined, { characters: 2000 })).toBe(0.03 * nano)
    expect(cost({ ...tokens, request: 0.01 }, { prompt_tokens: 5, completion_tokens: 5 })).toBe(0.01 * nano)
    const searched = { input_tokens: 1, output_tokens: 0, server_tool_use: { web_search_requests: 2 } }
    expect(cost({ input: 1, output: 1, search: 0.01 }, searched)).toBe(0.02 * nano + 1000)
  })

  it('for pictures has pictures as its output, unless the answer says otherwise', () => {
    const price = { input: 5, output: 10, imageOutput: 32 }
    const told = { input_tokens: 10, output_tokens: 1000 }
    expect(cost(price, told, { images: 1 })).toBe(50_000 + 32_000_000)
    const output_tokens_details = { image_tokens: 900 }
    expect(cost(price, { ...told, output_tokens_details }, { images: 1 })).toBe(50_000 + 28_800_000 + 1_000_000)
  })

  it('has no known cost where what it used has no price, or nothing is known to have been used', () => {
    expect(cost({ input: 2 }, { prompt_tokens: 10, completion_tokens: 5 })).toBeUndefined()
    expect(cost({ input: 2 }, { prompt_tokens: 10, completion_tokens: 0 })).toBe(20_000)
    expect(cost({ minute: 1 }, { prompt_tokens: 10, completion_tokens: 5 })).toBeUndefined()
    expect(cost({ input: 2, output: 2 }, { type: 'duration', seconds: 9 })).toBeUndefined()
    expect(cost({ input: 2, output: 2 }, { prompt_tokens: 0, completion_tokens: 0 })).toBeUndefined()
    expect(cost({ input: 2, output: 2 }, {})).toBeUndefined()
    expect(cost({ input: 2, output: 2, request: 1 }, undefined, { images: 2 })).toBeUndefined()
  })

  it('costs nothing where nobody bills', () => {
    expect(costOf(free, usageOf({ prompt_tokens: 10, completion_tokens: 5 }) as Usage)).toBe(0)
    expect(costOf(free, usageOf({ type: 'duration', seconds: 9 }) as Usage)).toBe(0)
  })

  it('is exact beyond what floats can multiply', () => {
    const tokens = { input: 3_000_000_001, output: 7, cached: 0, reasoning: 0 }
    const exact = (3_000_000_001n * 123_456_790n + 7n * 900_000_001n + 999n) / 1000n
    expect(costOf(tariffsOf({ input: 123.45679, output: 900.000001 }), { tokens })).toBe(Number(exact))
    const endless = { ...tokens, input: Number.MAX_SAFE_INTEGER }
    expect(costOf(tariffsOf({ input: 900, output: 1 }), { tokens: endless })).toBe(Number.MAX_SAFE_INTEGER)
  })

  it('is not rounded down where the sum is large', () => {
    const tokens = { input: 9_000_000_000_001, output: 0, cached: 0, reasoning: 0 }
    expect(costOf(tariffsOf({ input: 0.000999, output: 0 }), { tokens })).toBe(8_991_000_000_001)
  })
})

const dollars = fc.integer({ min: 0, max: 200_000 }).map((thousandths) => thousandths / 1000)
const maybe = fc.option(dollars, { nil: undefined })
const otherPrice: fc.Arbitrary<OtherPrice> = fc.record({
  ...{ input: dollars, output: dollars, cachedInput: maybe, cacheWrite: maybe, cacheWrite1h: maybe },
  ...{ audioInput: maybe, cachedAudioInput: maybe, imageInput: maybe, cachedImageInput: maybe },
  ...{ audioOutput: maybe, imageOutput: maybe, image: maybe, minute: maybe, request: maybe, search: maybe },
})
const above = fc.constantFrom(10, 1000, 200_000)
const tier = fc.tuple(otherPrice, above).map(([price, from]) => ({ ...price, above: from }))
const factor = fc.integer({ min: 1, max: 30 }).map((tenths) => tenths / 10)
const anyPrice: fc.Arbitrary<Price> = fc
  .tuple(
    otherPrice,
    fc.array(tier, { maxLength: 3 }),
    fc.record({ flex: factor, priority: fc.oneof(factor, otherPrice) }),
  )
  .map(([price, tiers, serviceTiers]) => ({ ...price, tiers, serviceTiers }))

const tokens = fc.integer({ min: 0, max: 400_000 })
const part = fc.integer({ min: 0, max: 500_000 })
const anyUsage = fc.record({
  ...{ input: tokens, output: tokens, cached: part },
  parts: fc.option(
    fc.record({
      ...{ cacheWrite: part, cacheWrite1h: part, audioInput: part, cachedAudioInput: part },
      ...{ imageInput: part, cachedImageInput: part, audioOutput: part, imageOutput: part },
    }),
    { nil: undefined },
  ),
  ...{ images: fc.nat(9), seconds: fc.nat(900), searches: fc.nat(9) },
  service: fc.constantFrom(undefined, 'default', 'flex', 'priority', 'batch'),
})

type Used = typeof anyUsage extends fc.Arbitrary<infer T> ? T : never

function usageFrom({ input, output, cached, parts, ...rest }: Used): Usage {
  return { ...rest, tokens: { input, output, cached, reasoning: 0, ...(parts && { parts }) } }
}

function boundFrom({ input, output, images, seconds, searches }: Used): Bound {
  return { input, output, pieces: { images, seconds, searches } }
}

describe('The most that a request can cost', () => {
  it('is never less than what it costs, for any usage within its bound', () => {
    fc.assert(
      fc.property(anyPrice, anyUsage, fc.nat(1000), (price, used, more) => {
        const tariffs = tariffsOf(price)
        const bound = boundFrom({ ...used, input: used.input + more, output: used.output + more })
        const [real, most] = [costOf(tariffs, usageFrom(used)) ?? 0, worstCost(tariffs, bound) ?? 0]
        expect(Number.isSafeInteger(real) && Number.isSafeInteger(most)).toBe(true)
        expect(real).toBeLessThanOrEqual(most)
      }),
      { numRuns: 2000 },
    )
  })

  it('holds too for a request that asks for a service tier, and may be given the standard one', () => {
    fc.assert(
      fc.property(anyPrice, anyUsage, fc.boolean(), (price, used, downgraded) => {
        const tariffs = tariffsOf(price)
        const usage = { ...usageFrom(used), service: downgraded ? 'default' : used.service }
        expect(costOf(tariffs, usage) ?? 0).toBeLessThanOrEqual(worstCost(tariffs, boundFrom(used), used.service) ?? 0)
      }),
    )
  })

  it('never falls as the bound grows', () => {
    fc.assert(
      fc.property(anyPrice, anyUsage, tokens, tokens, (price, used, input, output) => {
        const tariffs = tariffsOf(price)
        const larger = boundFrom({ ...used, input: used.input + input, output: used.output + output })
        const worst = worstCost(tariffs, boundFrom(used), used.service) ?? 0
        expect(worst).toBeLessThanOrEqual(worstCost(tariffs, larger, used.service) ?? 0)
      }),
    )
  })

  it('needs no thought of what a request cannot have', () => {
    const tariffs = tariffsOf({ input: 3, output: 15, cacheWrite: 3.75, cacheWrite1h: 6, audioInput: 40 })
    const bound = { input: 1000, output: 0 }
    expect(worstCost(tariffs, bound)).toBe(40_000_000)
    expect(worstCost(tariffs, { ...bound, without: new Set(['audioInput', 'cacheWrite1h']) })).toBe(3_750_000)
  })

  it('takes the tiers and service tiers that it can reach', () => {
    const tiers = [{ above: 100, input: 4, output: 4 }]
    const tariffs = tariffsOf({ input: 2, output: 2, tiers, serviceTiers: { priority: 2, flex: 0.5 } })
    const worst = (input: number, service?: string) => worstCost(tariffs, { input, output: 0 }, service)
    expect([worst(100), worst(101)]).toEqual([400_000, 808_000])
    expect([worst(100, 'default'), worst(100, 'flex'), worst(100, 'auto')]).toEqual([200_000, 200_000, 400_000])
    expect(worst(100, 'turbo')).toBeUndefined()
  })

  it('is unknown where a price is', () => {
    expect(worstCost(tariffsOf({ input: 2 }), { input: 10, output: 10 })).toBeUndefined()
    expect(worstCost(tariffsOf({ input: 2 }), { input: 10, output: 0 })).toBe(20_000)
  })
})

describe('A cost', () => {
  it('never falls as tokens are added', () => {
    fc.assert(
      fc.property(otherPrice, anyUsage, tokens, tokens, (price, used, input, output) => {
        const tariffs = tariffsOf(price)
        const larger = { ...used, input: used.input + input, output: used.output + output, service: undefined }
        const plain = { ...used, service: undefined }
        expect(costOf(tariffs, usageFrom(plain)) ?? 0).toBeLessThanOrEqual(costOf(tariffs, usageFrom(larger)) ?? 0)
      }),
    )
  })
})

describe('A price', () => {
  it('of something never becomes nothing', () => {
    expect(tariffsOf({ input: 1e-9, output: 1e-300 }).rates).toMatchObject({ input: 1, output: 1 })
  })

  it('is the number that it looks like, not what floats make of it', () => {
    expect(tariffsOf({ input: 0.07, output: 0.29, cachedInput: 1.1 }).rates).toEqual({
      ...{ input: 70_000, output: 290_000, cachedInput: 1_100_000 },
    })
  })
})
