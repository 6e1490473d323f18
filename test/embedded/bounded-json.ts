import { expect, it } from 'vitest'
import type { JsonObject } from '../../providers/embedded/engine.ts'
import { readGguf } from '../../providers/embedded/gguf.ts'
import { Tokenizer } from '../../providers/embedded/tokenizer.ts'
import { type Answer, answersOf, complete, modelFile } from './engine-fixture.ts'

export interface Person {
  name: string
  age: number
  role: string
  tags: string[]
  address: { city: string; floor: number | null }
}

export const schema = {
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
export const least = new Tokenizer(readGguf(modelFile)).encode(smallest).length
export const strict = { type: 'json_schema', json_schema: { name: 'person', strict: true, schema } }
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
export const samplings = [
  { temperature: 0 },
  ...[1, 2].map((seed) => ({ temperature: 1, seed })),
  { temperature: 2, seed: 3 },
]

export function asked(format: JsonObject, maxTokens: number, more: JsonObject = {}): JsonObject {
  const messages = [{ role: 'user', content: 'Tell me of Ada, who is 36 years old.' }]
  return { messages, response_format: format, max_tokens: maxTokens, ...more }
}

export async function answer(body: JsonObject): Promise<Answer> {
  return answersOf([await complete('chat', body)])[0] as Answer
}

export function expectPerson(text: string): void {
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

/** Tests of objects within each of many limits, each with the samplings that `samplingsOf` takes for the nth of them. */
export function testLimits(samplingsOf: (at: number) => readonly JsonObject[]): void {
  const each = (...limits: number[]) => it.each(limits.map((limit, at) => [limit, samplingsOf(at)] as const))

  each(
    4,
    8,
    16,
    32,
    48,
    64,
    100,
    150,
    200,
  )('of %d tokens, whatever object it is', async (limit, taken) => {
    for (const sampling of taken) {
      const { text, finish } = await answer(asked({ type: 'json_object' }, limit, sampling))
      expect([text[0], typeof JSON.parse(text), finish]).toEqual(['{', 'object', 'stop'])
    }
  })

  each(
    32,
    48,
    64,
    100,
    200,
  )('of %d tokens, in a small schema', async (limit, taken) => {
    for (const sampling of taken) {
      const { text, finish } = await answer(asked(small, limit, sampling))
      const value = JSON.parse(text) as Person
      expect([typeof value.name, Number.isInteger(value.age), finish]).toEqual(['string', true, 'stop'])
    }
  })

  each(
    least,
    least + 1,
    least + 10,
    64,
    100,
    150,
    200,
  )('of %d tokens, in a schema that nests', async (limit, taken) => {
    for (const sampling of taken) {
      const { text, finish } = await answer(asked(strict, limit, sampling))
      expectPerson(text)
      expect(finish).toBe('stop')
    }
  })
}
