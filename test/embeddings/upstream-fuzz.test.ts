import fc from 'fast-check'
import { expect, it } from 'vitest'
import { ask, errorOf } from '../support/ask.ts'
import { embed, telling, vectorsOf } from '../support/embeddings.ts'
import { serveNode } from '../support/gateway.ts'
import { json } from '../support/upstream.ts'
import { usually } from '../support/usually.ts'

const { upstream, gateway } = serveNode(
  (url) => ({
    providers: {
      u: { type: 'openai-compatible', baseURL: url },
      ollama: { type: 'ollama', baseURL: url },
      hf: { type: 'huggingface', baseURL: `${url}/v1` },
    },
    models: { cut: { deployments: [{ model: 'u/m', supports: { dimensions: true } }] } },
    cooldown: false,
    retries: 0,
  }),
  { env: { HF_TOKEN: 'hf_of_the_test' } },
)

const number = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constantFrom(0, -0, 1, null, '1'))
const vector = fc.oneof(
  fc.array(number, { maxLength: 6 }),
  fc.base64String({ maxLength: 24 }),
  fc.string(),
  fc.jsonValue(),
)
const item = fc.oneof(
  fc.record(
    { index: fc.oneof(fc.nat(2), fc.jsonValue()), embedding: vector, object: fc.jsonValue() },
    { requiredKeys: [] },
  ),
  fc.jsonValue(),
)
const answer = fc.oneof(
  fc.record(
    {
      data: fc.oneof(fc.array(item, { maxLength: 3 }), fc.jsonValue()),
      embeddings: fc.array(vector, { maxLength: 3 }),
      usage: fc.jsonValue(),
      model: fc.jsonValue(),
      error: fc.jsonValue(),
      object: fc.oneof(fc.constant('list'), fc.jsonValue()),
    },
    { requiredKeys: [] },
  ),
  fc.array(vector, { maxLength: 3 }),
  fc.jsonValue(),
)

it.each(['u/m', 'cut', 'ollama/m', 'hf/org/m'])(
  'whatever an upstream answers, a client gets whole vectors or OpenAI’s error: %s',
  async (model) => {
    const more = fc.record(
      { dimensions: fc.integer({ min: 1, max: 4 }), encoding_format: fc.constantFrom('float', 'base64') },
      { requiredKeys: [] },
    )
    await fc.assert(
      fc.asyncProperty(answer, more, fc.constantFrom<unknown>('hi', ['a', 'b']), async (said, wanted, input) => {
        upstream.script(json(200, JSON.stringify(said)))
        const reply = await ask(gateway, embed(model, input, wanted), { path: '/embeddings' })
        if (reply.status !== 200) {
          expect([400, 401, 404, 429, 502, 503], reply.text).toContain(reply.status)
          expect(errorOf(reply).message).not.toMatch(/undefined|at .*\.ts|TypeError/)
          return
        }
        const vectors = vectorsOf(reply)
        expect(vectors).toHaveLength([input].flat().length)
        for (const one of vectors) {
          if (wanted.encoding_format === 'base64') expect(one).toMatch(/^[A-Za-z\d+/]+=*$/)
          else expect(Array.isArray(one) && one.length > 0 && one.every(Number.isFinite), reply.text).toBe(true)
          const length = typeof one === 'string' ? Buffer.from(one, 'base64').length / 4 : (one as number[]).length
          expect(length).toBe(wanted.dimensions ?? length)
        }
        expect(JSON.parse(reply.text)).toMatchObject({ object: 'list', usage: { prompt_tokens: expect.any(Number) } })
      }),
      { numRuns: usually(100, 300) },
    )
    expect(gateway.logged.filter((line) => line.includes('TypeError'))).toEqual([])
    upstream.script(telling)
    if (model === 'u/m') expect((await ask(gateway, embed(model), { path: '/embeddings' })).status).toBe(200)
  },
)
