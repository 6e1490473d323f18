import { describe, expect, it } from 'vitest'
import { errorOf, type Reply } from '../support/ask.ts'
import { runtimes, serveBoth } from '../support/both.ts'
import { base64, embed, telling, vectorsOf } from '../support/embeddings.ts'
import { json, type Script } from '../support/upstream.ts'

const { upstream, both } = serveBoth(
  'embeddings-batches',
  (url) => ({
    providers: {
      u: { type: 'openai-compatible', baseURL: url },
      tei: { type: 'huggingface', endpointUrl: url, engine: 'tei' },
    },
    models: { 'safe-*': { deployments: ['u/*'], fallbacks: ['tei/m'] } },
  }),
  { env: { HF_TOKEN: 'hf_of_the_test' } },
)

let models = 0
const fresh = (front = 'u/') => `${front}${++models}`
const inputs = () => upstream.seen.filter(({ method }) => method === 'POST').map(({ body }) => JSON.parse(body).input)
const sizes = () =>
  inputs()
    .map((input) => input.length)
    .sort((a, b) => b - a)
const many = (count: number) => Array.from({ length: count }, (_, at) => `${at}`)
const vectors = (count: number) => many(count).map((text) => [text.length, Number(text)])

function answering(...scripts: Script[]): void {
  upstream.seen.length = 0
  upstream.script(...scripts)
}

/** Refuses more than `most` inputs, in the words of a server. */
const atMost =
  (most: number, status: number, body: (count: number) => unknown): Script =>
  (request, ...rest) => {
    const { length } = JSON.parse(request.body).input
    return (length > most ? json(status, body(length)) : telling)(request, ...rest)
  }

describe.each(runtimes)('A batch that is larger than the upstream’s, on %s:', (runtime) => {
  const ask = (body: unknown): Promise<Reply> => both.ask(runtime, body, '/embeddings')

  it('is shared out where the limit is known, and answered as one', async () => {
    answering(telling)
    const reply = await ask(embed('tei/m', many(70)))
    expect(reply.status, reply.text).toBe(200)
    expect(sizes()).toEqual([32, 32, 6])
    const answer = JSON.parse(reply.text)
    expect(vectorsOf(reply)).toEqual(vectors(70))
    expect(answer.data.map(({ index }: { index: number }) => index)).toEqual(many(70).map(Number))
    expect(answer.usage).toEqual({ prompt_tokens: 70, total_tokens: 70 })
    expect(reply.headers.get('x-samewire-attempts')).toBe('1')
  })

  it('keeps all other fields in each part', async () => {
    answering((request, ...rest) =>
      json(200, { data: JSON.parse(request.body).input.map(() => ({ embedding: [1] })) })(request, ...rest),
    )
    const reply = await ask(embed('tei/m', many(33), { encoding_format: 'base64', user: 'me', x: [null] }))
    expect(vectorsOf(reply)).toEqual(many(33).map(() => base64([1])))
    for (const { body } of upstream.seen.filter(({ method }) => method === 'POST')) {
      expect(JSON.parse(body)).toMatchObject({ model: 'm', encoding_format: 'base64', user: 'me', x: [null] })
    }
  })

  it('of lists of tokens is shared out too, but one list of tokens is one input', async () => {
    answering((request, ...rest) =>
      json(200, {
        data: [JSON.parse(request.body).input]
          .flat(1)
          .map((_, index, all) => ({ index, embedding: [all.length] }))
          .slice(0, Array.isArray(JSON.parse(request.body).input[0]) ? undefined : 1),
      })(request, ...rest),
    )
    expect(
      (
        await ask(
          embed(
            'tei/m',
            many(40).map((_, at) => [at, 7]),
          ),
        )
      ).status,
    ).toBe(200)
    expect(sizes()).toEqual([32, 8])
    upstream.seen.length = 0
    expect((await ask(embed('tei/m', many(40).map(Number)))).status).toBe(200)
    expect(inputs()).toEqual([many(40).map(Number)])
  })

  it.each<[string, number, (count: number) => unknown]>([
    [
      'TEI',
      422,
      (count) => ({ error: `batch size ${count} > maximum allowed batch size 8`, error_type: 'Validation' }),
    ],
    [
      'TEI of old',
      413,
      (count) => ({ message: `batch size ${count} > maximum allowed batch size 8`, type: 'validation' }),
    ],
    [
      'SiliconFlow',
      413,
      (count) => ({ code: 20042, message: `input batch size ${count} > maximum allowed batch size 8`, data: null }),
    ],
    [
      'DashScope',
      400,
      () => ({
        error: {
          message:
            '<400> InternalError.Algo.InvalidParameter: Value error, batch size is invalid, it should not be larger than 8.: input.contents',
          type: 'InvalidParameter',
          param: null,
          code: 'InvalidParameter',
        },
      }),
    ],
    [
      'Google',
      400,
      () => [
        {
          error: {
            code: 400,
            message: '* BatchEmbedContentsRequest.requests: at most 8 requests can be in one batch\n',
            status: 'INVALID_ARGUMENT',
          },
        },
      ],
    ],
    [
      'Cohere',
      400,
      (count) => ({ message: `invalid request: total number of texts must be at most 8 - received ${count}` }),
    ],
    [
      'Azure of old',
      400,
      () => ({
        error: {
          message:
            'Too many inputs. The max number of inputs is 8.  We hope to increase the number of inputs per request soon.',
          type: 'invalid_request_error',
          param: null,
          code: null,
        },
      }),
    ],
  ])('is shared out as a refusal says, and from then on without one: %s', async (_, status, body) => {
    const model = fresh()
    answering(atMost(8, status, body))
    for (const expected of [
      [20, 8, 8, 4],
      [8, 8, 4],
    ]) {
      upstream.seen.length = 0
      const reply = await ask(embed(model, many(20)))
      expect(vectorsOf(reply), reply.text).toEqual(vectors(20))
      expect(sizes()).toEqual(expected)
    }
  })

  it.each<[string, object]>([
    [
      'OpenAI',
      {
        message: 'Requested 306153 tokens, max 300000 tokens per request',
        type: 'max_tokens_per_request',
        param: null,
        code: 'max_tokens_per_request',
      },
    ],
    [
      'Mistral',
      {
        object: 'error',
        message: 'Too many tokens overall, split into more batches.',
        type: 'invalid_request_prompt',
        param: null,
        code: '3210',
      },
    ],
    [
      'Mistral, by number',
      {
        object: 'error',
        message: 'Too many inputs in request, split into more batches.',
        type: 'invalid_request_prompt',
        param: null,
        code: '3210',
      },
    ],
    [
      'Voyage',
      {
        detail: 'The max allowed tokens per submitted batch is 120000. Your batch has 187609 tokens after truncation.',
      },
    ],
  ])('is halved until its tokens are few enough, and tried whole the next time: %s', async (_, error) => {
    const model = fresh()
    answering(atMost(3, 400, () => ('detail' in error ? error : { error })))
    for (let time = 0; time < 2; time++) {
      upstream.seen.length = 0
      const reply = await ask(embed(model, many(10)))
      expect(vectorsOf(reply), reply.text).toEqual(vectors(10))
      expect(sizes()).toEqual(expect.arrayContaining([10, 5, 3, 3, 3, 1]))
    }
    answering(json(400, { error }))
    expect((await ask(embed(fresh(), ['a', 'b']))).status).toBe(400)
    expect(inputs()).toEqual(expect.arrayContaining([['a', 'b'], ['a']]))
  })

  it('fails as a whole when a part fails, and goes whole to the next deployment', async () => {
    const model = fresh('safe-')
    answering(json(422, { error: 'batch size 20 > maximum allowed batch size 8' }), (request, ...rest) =>
      (JSON.parse(request.body).model === 'm' ? telling : json(401, { error: 'no' }))(request, ...rest),
    )
    const reply = await ask(embed(model, many(20)))
    expect(vectorsOf(reply), reply.text).toEqual(vectors(20))
    expect(reply.headers.get('x-samewire-model')).toBe('tei/m')
  })

  it('is not shared out for a refusal of another kind', async () => {
    answering(json(400, { error: { message: 'maximum allowed batch size' } }))
    const reply = await ask(embed(fresh(), many(20)))
    expect([reply.status, errorOf(reply).message]).toEqual([400, 'maximum allowed batch size'])
    expect(sizes()).toEqual([20])
  })

  it('of 2,048 long texts comes back whole', async () => {
    answering(telling)
    const reply = await ask(
      embed(
        'tei/m',
        many(2048).map((text) => text.padEnd(300, ' ')),
      ),
    )
    expect(vectorsOf(reply)).toEqual(many(2048).map((text) => [300, Number(text)]))
    expect(sizes()).toHaveLength(64)
  })
})
