import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../providers/embedded/engine.ts'
import { errorOf } from '../support/ask.ts'
import { runtimes, startBoth } from '../support/both.ts'
import { duringTests } from '../support/during-tests.ts'
import { usually } from '../support/usually.ts'

const object = (properties: JsonObject, more: JsonObject = {}): JsonObject => ({ type: 'object', properties, ...more })
const closed = { additionalProperties: false }

/** Definitions d0 … d30, where each refers twice to the one before it. */
function doubled(first: JsonObject, twice: (ref: JsonObject) => JsonObject): JsonObject {
  const defs = Array.from({ length: 31 }, (_, i) => (i === 0 ? first : twice({ $ref: `#/$defs/d${i - 1}` })))
  return { $ref: '#/$defs/d30', $defs: Object.fromEntries(defs.map((schema, i) => [`d${i}`, schema])) }
}
const eitherTwice = (ref: JsonObject) => ({ anyOf: [ref, ref] })
const bothTwice = (ref: JsonObject) => object({ a: ref, b: ref }, { required: ['a', 'b'] })

function nested(levels: number): JsonObject {
  let schema: JsonObject = { type: 'string' }
  for (let i = 0; i < levels; i++) schema = { type: 'array', items: schema }
  return schema
}

const IMPOSSIBLE: [string, JsonObject][] = [
  ['refers to itself', { $ref: '#' }],
  ['goes in circles', { $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } } }],
  ['needs itself within itself', object({ next: { $ref: '#' } }, { required: ['next'] })],
  ['needs an item of its own kind', { type: 'array', items: { $ref: '#' }, minItems: 1 }],
  ['allows no value', { enum: [] }],
  ['allows no option', { anyOf: [] }],
  ['allows no type', { type: [] }],
  ['has options that are all impossible', { anyOf: [{ enum: [] }, { $ref: '#' }] }],
  ['allows values of another type only', { type: 'integer', enum: ['a', 1.5] }],
  ['needs a property that it forbids', object({ a: { type: 'string' } }, { required: ['b'], ...closed })],
  ['needs a property and forbids all', { type: 'object', required: ['b'], ...closed }],
  ['needs a property that has no value', object({ a: false }, { required: ['a'] })],
  ['needs fewer items than it needs', { type: 'array', minItems: 2, maxItems: 1 }],
  // llama.cpp and Ollama write a rule per reference and run out of memory or stack (ollama/ollama#7993).
  ['doubles with each reference', doubled({ type: 'string' }, bothTwice)],
  ['doubles an impossible one', doubled({ enum: [] }, eitherTwice)],
  ['needs a longer text than an answer', { enum: ['x'.repeat(50_000)] }],
  ['nests too deeply', nested(100)],
  ['has too many values', { enum: Array.from({ length: 50_000 }, (_, i) => i) }],
  ['has too long a value', { enum: ['x'.repeat(1_000_000)] }],
  ['has a type that there is not', { type: 'constructor' }],
]

const POSSIBLE: [string, JsonObject, (value: unknown) => boolean][] = [
  [
    'refers to itself where it may end',
    object({ next: { anyOf: [{ type: 'null' }, { $ref: '#' }] } }, { required: ['next'] }),
    (value) => 'next' in (value as object),
  ],
  ['has one option that is possible', { anyOf: [{ $ref: '#' }, { enum: ['yes'] }] }, (value) => value === 'yes'],
  ['doubles the options of one text', doubled({ const: 'yes' }, eitherTwice), (value) => value === 'yes'],
  ['allows some values of its type', { type: 'integer', enum: ['a', 7] }, (value) => value === 7],
  ['has an impossible property that may be absent', object({ a: false }), (value) => !('a' in (value as object))],
  [
    'needs a property that it does not declare',
    object({ a: { const: 1 } }, { required: ['a', 'b'], additionalProperties: { const: 2 } }),
    (value) => JSON.stringify(value) === '{"a":1,"b":2}',
  ],
  ['has a list that may be empty only', { type: 'array', items: false }, (value) => JSON.stringify(value) === '[]'],
  ['nests a little', nested(30), Array.isArray],
  ['quotes such words', { const: '{"$ref":"#","enum":[]}' }, (value) => value === '{"$ref":"#","enum":[]}'],
  [
    'has many values',
    { enum: Array.from({ length: 1000 }, (_, i) => `value ${i}`) },
    (value) => /^value \d+$/.test(String(value)),
  ],
]

/** The JSON that an answer consists of. */
function contentOf(text: string): unknown {
  const { choices } = JSON.parse(text) as { choices: { message: { content: string } }[] }
  return JSON.parse(choices[0]?.message.content ?? '')
}

const both = duringTests(() => startBoth('embedded-schemas', { providers: { demo: { type: 'embedded' } } }))

describe.each(runtimes)('on %s', (runtime) => {
  /** On the Worker, a third of them: what is made of a schema is up to no runtime. */
  const some = <T>(all: readonly T[]) =>
    runtime === 'node'
      ? all
      : usually(
          all.filter((_, at) => at % 3 === 0),
          all,
        )

  const body = (schema: JsonObject, more: JsonObject = {}) => ({
    model: 'demo/tiny-chat',
    messages: [{ role: 'user', content: 'hi' }],
    max_tokens: 100,
    response_format: { type: 'json_schema', json_schema: { name: 's', schema } },
    ...more,
  })

  test.each(some(IMPOSSIBLE))('a schema that %s is refused', async (_what, schema) => {
    for (const stream of [false, true]) {
      const reply = await both.ask(runtime, body(schema, { stream }))
      expect(reply.status).toBe(400)
      expect(errorOf(reply)).toMatchObject({ code: 'unsupported_parameter', param: 'response_format' })
    }
  })

  test.each(some(POSSIBLE))('a schema that %s is followed', async (_what, schema, follows) => {
    const reply = await both.ask(runtime, body(schema))
    expect(reply.status).toBe(200)
    expect(contentOf(reply.text)).toSatisfy(follows)
  })

  test('a schema beside `json_object` is followed, as llama.cpp and Together do', async () => {
    const schema = object({ a: { const: 1 } }, { required: ['a'], ...closed })
    const reply = await both.ask(runtime, body({}, { response_format: { type: 'json_object', schema } }))
    expect(contentOf(reply.text)).toEqual({ a: 1 })
  })

  test.each([
    ['is impossible', { enum: [] }, 'response_format', 'unsupported_parameter'],
    ['is no object', 'a', 'response_format.schema', 'invalid_type'],
  ])('a schema beside `json_object` that %s is refused', async (_what, schema, param, code) => {
    const reply = await both.ask(runtime, body({}, { response_format: { type: 'json_object', schema } }))
    expect([reply.status, errorOf(reply).param, errorOf(reply).code]).toEqual([400, param, code])
  })

  test.each([{}, null])('%j beside `json_object` allows any object', async (schema) => {
    const reply = await both.ask(runtime, body({}, { response_format: { type: 'json_object', schema }, seed: 1 }))
    expect(reply.status).toBe(200)
    expect(reply.text).toContain('"content":"{')
  })

  test.each(some(IMPOSSIBLE.slice(0, 8)))(
    'a function whose schema %s is called with any object',
    async (_what, parameters) => {
      const tools = [{ type: 'function', function: { name: 'f', parameters } }]
      const reply = await both.ask(
        runtime,
        body({}, { tools, tool_choice: 'required', response_format: null, max_tokens: 40 }),
      )
      expect(reply.status).toBe(200)
      expect(reply.text).toContain('"finish_reason":"tool_calls"')
    },
  )
})
