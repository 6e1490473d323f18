import { describe, expect, it } from 'vitest'
import { type Likeness, likenessOf } from '../../src/cache/key.ts'
import { chat } from '../../src/operations/chat.ts'
import { responses } from '../../src/operations/responses.ts'
import { parseBody } from '../../src/wire/body.ts'
import { provenRandomly } from '../proofs/cache/prove.ts'
import { seeded } from '../support/ask.ts'
import { meaningOf, type Variant, variantOf } from '../support/chat-variants.ts'

const decoder = new TextDecoder()
const bodyOf = (text: string) => parseBody(new TextEncoder().encode(text))

function keyOf(text: string, more: Partial<Likeness> = {}, operation = chat, carried: Record<string, string> = {}) {
  const body = bodyOf(text)
  const about = { tenant: 't', model: body.model ?? '', fingerprint: 'f', bearer: undefined, asked: body, ...more }
  return decoder.decode(likenessOf({ operation, body, carried }, about))
}

const keyOfVariant = ({ text, tenant }: Variant) => keyOf(text, { tenant })

describe('What two requests have in common', () => {
  it('is the same in none of 10,000 pairs of different meaning or of different clients', () => {
    const random = seeded(7)
    const others = new Map<string, Variant>()
    let same = 0
    for (let n = 0; n < 10_000; n++) {
      const one = variantOf(random, ['anna', 'bert'])
      const key = keyOfVariant(one)
      const other = others.get(key)
      others.set(key, one)
      if (!other) continue
      same++
      if (other.tenant !== one.tenant || meaningOf(other.text) !== meaningOf(one.text)) expect(other).toEqual(one)
    }
    expect(same).toBeGreaterThan(1_000)
  })

  it('is not the same for another operation, model, configuration, account, or header of the API', () => {
    const text = '{"model":"m","input":"hi","messages":[]}'
    const keys = [
      keyOf(text),
      keyOf(text, {}, responses),
      keyOf(text, { model: 'n' }),
      keyOf(text, { fingerprint: 'g' }),
      keyOf(text, { bearer: 'sk-own' }),
      keyOf(text, {}, chat, { 'anthropic-beta': 'x' }),
    ]
    expect(new Set(keys).size).toBe(keys.length)
  })

  it('is not the same for fields that an answer repeats', () => {
    const text = (n: number) => `{"model":"m","input":"hi","metadata":{"n":"${n}"}}`
    expect(keyOf(text(1), {}, responses)).not.toBe(keyOf(text(2), {}, responses))
    expect(keyOf(text(1))).toBe(keyOf(text(2)))
  })
})

describe('Requests of several clients to a model that never says the same twice', () => {
  it('get no answer of another client, none to another request, and no failure a second time', async () => {
    const { wrong, results } = await provenRandomly(400, 3, 16)
    expect(wrong).toEqual([])
    expect(results.hit).toBeGreaterThan(50)
  })
})
