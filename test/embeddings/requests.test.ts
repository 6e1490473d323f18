import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { errorOf, type Reply } from '../support/ask.ts'
import { runtimes, serveBoth } from '../support/both.ts'
import { embed, telling, vectorsOf } from '../support/embeddings.ts'

const { upstream, both } = serveBoth(
  'embeddings-requests',
  (url) => ({
    providers: { u: { type: 'openai-compatible', baseURL: url } },
    models: { small: { deployments: [{ model: 'u/small', contextWindow: 10 }] } },
  }),
  { script: telling },
)

afterEach(() => {
  upstream.seen.length = 0
})

const asksNobody = () => expect(upstream.seen.filter(({ method }) => method === 'POST')).toEqual([])
const invalidInput =
  "'$.input' is invalid. Please check the API reference: https://platform.openai.com/docs/api-reference."
const many = (count: number) => Array.from({ length: count }, (_, at) => `${at}`)

describe.each(runtimes)('A request for embeddings, on %s:', (runtime) => {
  const ask = (body: unknown, path = '/embeddings'): Promise<Reply> => both.ask(runtime, body, path)

  it.each<[object, object]>([
    [
      { input: undefined },
      { message: "Missing required parameter: 'input'.", param: 'input', code: 'missing_required_parameter' },
    ],
    [
      { input: null },
      { message: "Missing required parameter: 'input'.", param: 'input', code: 'missing_required_parameter' },
    ],
    ...[5, true, {}, [], [1, 'a'], ['a', 1], [['a']], [[]], [[1], 'a'], [null], [1.5], [-1], [[1], []]].map(
      (input): [object, object] => [{ input }, { message: invalidInput, param: null, code: null }],
    ),
    [
      { input: many(2049) },
      {
        message:
          "Invalid 'input': array too long. Expected an array with maximum length 2048, but got an array with length 2049 instead.",
        param: 'input',
        code: 'array_above_max_length',
      },
    ],
    [
      { encoding_format: 'float16' },
      {
        message: "Invalid value: 'float16'. Supported values are: 'float' and 'base64'.",
        param: 'encoding_format',
        code: 'invalid_value',
      },
    ],
    [{ encoding_format: 1 }, { param: 'encoding_format', code: 'invalid_type' }],
    [
      { dimensions: 0 },
      {
        message: "Invalid 'dimensions': integer below minimum value. Expected a value >= 1, but got 0 instead.",
        param: 'dimensions',
        code: 'integer_below_min_value',
      },
    ],
    [{ dimensions: '256' }, { param: 'dimensions', code: 'invalid_type' }],
    [{ dimensions: 1.5 }, { param: 'dimensions', code: 'invalid_type' }],
    [{ user: 5 }, { param: 'user', code: 'invalid_type' }],
  ])('%j is refused as OpenAI does', async (more, error) => {
    const reply = await ask({ ...embed('u/m'), ...more })
    expect(reply.status, reply.text).toBe(400)
    expect(errorOf(reply)).toMatchObject({ type: 'invalid_request_error', ...error })
    asksNobody()
  })

  it.each<[string, object]>([
    ['a text', { input: 'hi' }],
    ['texts', { input: ['a', 'bc'] }],
    ['an empty text, which is for the upstream to judge', { input: '' }],
    ['as many texts as may be', { input: many(2048) }],
    ['nulls', { encoding_format: null, dimensions: null, user: null }],
    ['fields that nobody knows', { input_type: 'query', truncate: 'END' }],
  ])('%s is sent on as it is', async (_, more) => {
    const body = { ...embed('u/m'), ...more }
    const reply = await ask(body)
    expect(reply.status, reply.text).toBe(200)
    expect(JSON.parse(upstream.seen.at(-1)?.body ?? '')).toEqual({ ...body, model: 'm' })
    expect(upstream.seen.at(-1)?.path).toBe('/embeddings')
  })

  it.each(['/engines/u/m/embeddings', '/engines/u%2Fm/embeddings'])('%s names the model in the path', async (path) => {
    const reply = await ask({ input: 'four' }, path)
    expect(vectorsOf(reply)).toEqual([[4, 0]])
    expect(JSON.parse(upstream.seen.at(-1)?.body ?? '')).toEqual({ input: 'four', model: 'm' })
  })

  it('is never answered with a stream', async () => {
    const reply = await ask(embed('u/m', 'hi', { stream: true }))
    expect(reply.headers.get('content-type')).toBe('application/json')
    expect(vectorsOf(reply)).toEqual([[2, 0]])
  })

  it.each<[string, unknown, object, number]>([
    ['texts that fit one by one', ['a'.repeat(50), 'b'.repeat(50)], {}, 200],
    ['a text that is too long', ['a', 'b'.repeat(100)], {}, 400],
    ['a text that is too long, and may be cut', 'b'.repeat(100), { truncate: true }, 200],
    ['too many tokens', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], {}, 400],
  ])('is held to the context of a model for each text by itself: %s', async (_, input, more, status) => {
    const reply = await ask(embed('small', input, more))
    expect(reply.status, reply.text).toBe(status)
    if (status === 400) expect(errorOf(reply).code).toBe('context_length_exceeded')
  })

  it('for a model that is missing is told so', async () => {
    const reply = await ask(embed('text-embedding-ada-001'))
    expect([reply.status, errorOf(reply)]).toMatchObject([404, { code: 'model_not_found', param: null }])
  })

  it('of any content gets vectors or OpenAI’s error, and so does the next one', async () => {
    const field = fc.oneof(
      fc.jsonValue({ maxDepth: 3 }),
      fc.array(fc.string()),
      fc.array(fc.array(fc.nat())),
      fc.array(fc.nat()),
    )
    const body = fc.record(
      {
        model: fc.oneof(fc.constant('u/m'), field),
        input: field,
        dimensions: field,
        encoding_format: field,
        user: field,
      },
      { requiredKeys: [] },
    )
    await fc.assert(
      fc.asyncProperty(body, async (given) => {
        const reply = await ask(given)
        if (reply.status === 200) expect(JSON.parse(reply.text).object).toBe('list')
        else {
          expect([400, 404]).toContain(reply.status)
          expect(errorOf(reply).message).not.toMatch(/undefined|at .*\.ts|TypeError/)
        }
      }),
      { numRuns: 150 },
    )
    expect((await ask(embed('u/m'))).status).toBe(200)
  })
})
