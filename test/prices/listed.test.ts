import { describe, expect, it } from 'vitest'
import { priceIn } from '../../src/wire/model-facts.ts'

describe("A price on a provider's list", () => {
  it("is what OpenRouter's words for its parts say", () => {
    const pricing = {
      ...{ prompt: '0.000003', completion: '0.000015', request: '0.01', image: '0.0048', web_search: '0.005' },
      ...{ input_cache_read: '0.0000003', input_cache_write: '0.00000375', input_cache_write_1h: '0.000006' },
      ...{ audio: '0.00004', internal_reasoning: '0', image_output: '0.00012' },
    }
    const { price } = priceIn(pricing)
    expect(
      Object.fromEntries(Object.entries(price ?? {}).map(([name, value]) => [name, Number(value.toFixed(9))])),
    ).toEqual({
      ...{ input: 3, output: 15, cachedInput: 0.3, cacheWrite: 3.75, cacheWrite1h: 6, audioInput: 40 },
      ...{ imageOutput: 120, request: 0.01, search: 0.005 },
    })
  })

  it('takes no zero for a discount', () => {
    const pricing = { prompt: '0.000003', completion: '0.000015', input_cache_read: '0', request: '0', web_search: '' }
    expect(priceIn(pricing)).toEqual({ price: { input: 3, output: 15 } })
  })
})
