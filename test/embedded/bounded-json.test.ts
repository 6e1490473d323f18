import { describe, expect, it, vi } from 'vitest'
import type { JsonObject } from '../../providers/embedded/engine.ts'
import { readGguf } from '../../providers/embedded/gguf.ts'
import { Tokenizer } from '../../providers/embedded/tokenizer.ts'
import { usually } from '../support/usually.ts'
import { type Answer, answersOf, complete, modelFile, stream } from './engine-fixture.ts'

// The model computes in earnest, which takes a while on a machine that does other things too.
vi.setConfig({ testTimeout: 180_000 })

interface Person {
  name: string
  age: number
  role: string
  tags: string[]
  address: { city: string; floor: number | null }
}

const schema = {
  type: 'object',
  properties: {
    name: { type: 'string' },
    age: { type: 'integer' },
    role: { enum: ['admin', 'guest'] },
    tags: { type: 'array', items: { type: 'string' }, minItems: 1 },
    address: {
      type: 'object',
      properties: { city: { type: 'string' }, floor: { anyOf: [{ type: 'null' }, { type: 'number' }] } },
      required: ['city', 'floor'],
      additionalProperties: false,
    },
  },
  required: ['name', 'age', 'role', 'tags', 'address'],
  additionalProperties: false,
}
const smallest = '{"name":"","age":0,"role":"admin","tags":[""],"address":{"city":"","floor":0}}'
const least = new Tokenizer(readGguf(modelFile)).encode(smallest).length
const strict = { type: 'json_schema', json_schema: { name: 'person', strict: true, schema } }
const small = {
  type: 'json_schema',
  json_schema: {
    name: 'small',
    strict: true,
    schema: {
      type: 'object',
      properties: { name: { type: 'string' }, age: { type: 'integer' } },
      required: ['name', 'age'],
      additionalProperties: false,
    },
  },
}
const samplings = [{ temperature: 0 }, ...[1, 2].map((seed) => ({ temperature: 1, seed })), { temperature: 2, seed: 3 }]

/** Limits, each with another sampling, or with all. */
const within = (...limits: readonly number[]) =>
  limits.map((limit, at) => [limit, usually(samplings.slice(at % 4).slice(0, 1), samplings)] as const)

function asked(format: JsonObject, maxTokens: number, more: JsonObject = {}): JsonObject {
  const messages = [{ role: 'user', content: 'Tell me of Ada, who is 36 years old.' }]
  return { messages, response_format: format, max_tokens: maxTokens, ...more }
}

async function answer(body: JsonObject): Promise<Answer> {
  return answersOf([await complete('chat', body)])[0] as Answer
}

function expectPerson(text: string): void {
  const person = JSON.parse(text) as Person
  expect(Object.keys(person)).toEqual(schema.required)
  expect(Object.keys(person.address)).toEqual(['city', 'floor'])
  expect([typeof person.name, typeof person.address.city, Number.isInteger(person.age)]).toEqual([
    'string',
    'string',
    true,
  ])
  expect(['admin', 'guest']).toContain(person.role)
  expect(person.tags.length).toBeGreaterThan(0)
  expect(person.tags.every((tag) => typeof tag === 'string')).toBe(true)
  expect(person.address.floor === null || typeof person.address.floor === 'number').toBe(true)
}

describe('JSON is whole within its limit', () => {
  it.each(within(4, 8, 16, 32, 48, 64, 100, 150, 200))('of %d tokens, whatever object it is', async (limit, taken) => {
    for (const sampling of taken) {
      const { text, finish } = await answer(asked({ type: 'json_object' }, limit, sampling))
      expect([text[0], typeof JSON.parse(text), finish]).toEqual(['{', 'object', 'stop'])
    }
  })

  it.each(within(32, 48, 64, 100, 200))('of %d tokens, in a small schema', async (limit, taken) => {
    for (const sampling of taken) {
      const { text, finish } = await answer(asked(small, limit, sampling))
      const value = JSON.parse(text) as Person
      expect([typeof value.name, Number.isInteger(value.age), finish]).toEqual(['string', true, 'stop'])
    }
  })

  it.each(within(least, least + 1, least + 10, 64, 100, 150, 200))(
    'of %d tokens, in a schema that nests',
    async (limit, taken) => {
      for (const sampling of taken) {
        const { text, finish } = await answer(asked(strict, limit, sampling))
        expectPerson(text)
        expect(finish).toBe('stop')
      }
    },
  )

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
    for (const sampling of usually(samplings.slice(-1), samplings)) {
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
