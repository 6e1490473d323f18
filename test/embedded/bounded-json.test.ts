import { describe, expect, it } from 'vitest'
import {
  answer,
  asked,
  expectPerson,
  least,
  type Person,
  samplings,
  schema,
  strict,
  testLimits,
} from './bounded-json.ts'
import { type Answer, answersOf, stream } from './engine-fixture.ts'

describe('JSON is whole within its limit', () => {
  // All of them together: bounded-json.long.test.ts.
  testLimits((at) => samplings.slice(at % samplings.length).slice(0, 1))

  it('in a stream too', async () => {
    const [streamed] = answersOf(await stream('chat', asked(strict, 100))) as [Answer]
    expect(streamed).toEqual(await answer(asked(strict, 100)))
    expectPerson(streamed.text)
  })

  it('as the arguments of a call', async () => {
    const tools = [{ type: 'function', function: { name: 'save', parameters: schema } }]
    const asking = { messages: [{ role: 'user', content: 'hi' }], tools, tool_choice: 'required', max_tokens: 120 }
    for (const sampling of samplings.slice(0, 2)) {
      const { calls, finish } = await answer({ ...asking, ...sampling })
      expect([calls.length > 0, finish]).toEqual([true, 'tool_calls'])
      for (const call of calls) expectPerson(call.arguments)
    }
  })

  it('without a limit, however the model rambles', async () => {
    for (const sampling of samplings) {
      const { text, finish } = await answer({ ...asked(strict, 0, sampling), max_tokens: null })
      expectPerson(text)
      expect(finish).toBe('stop')
      const { tags, name } = JSON.parse(text) as Person
      expect(tags.length).toBeLessThanOrEqual(16)
      expect(name.length).toBeLessThanOrEqual(64)
    }
  })

  it('even where it says the likes of 日本 or has to', async () => {
    const format = {
      type: 'json_schema',
      json_schema: {
        name: 's',
        schema: {
          type: 'object',
          properties: { word: { enum: ['日本語', 'grün'] }, free: { type: 'string' } },
          required: ['word', 'free'],
        },
      },
    }
    for (const sampling of samplings) {
      const bias = { ...sampling, logit_bias: { 163: 50, 164: 50 } }
      const { text, finish } = await answer(asked(format, 40, bias))
      expect(['日本語', 'grün']).toContain((JSON.parse(text) as { word: string }).word)
      expect(finish).toBe('stop')
    }
  })
})

it('A limit too small for the smallest object cuts it, and says so', async () => {
  const { text, finish } = await answer(asked(strict, least - 10))
  expect(() => JSON.parse(text)).toThrow()
  expect(finish).toBe('length')
})
