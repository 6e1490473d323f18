import { describe, expect, it } from 'vitest'
import { errorOf, type Reply } from '../support/ask.ts'
import { runtimes, serveBoth } from '../support/both.ts'
import { base64, embed, embeddingsOf, lengthOf, vectorsOf } from '../support/embeddings.ts'
import { json, type Script } from '../support/upstream.ts'

const { upstream, both } = serveBoth('embeddings-answers', (url) => ({
  providers: { u: { type: 'openai-compatible', baseURL: url } },
  models: {
    'cut-*': { deployments: [{ model: 'u/*', supports: { dimensions: true } }] },
    'whole-*': { deployments: [{ model: 'u/*', supports: { dimensions: false } }] },
    'either-*': {
      deployments: [
        { model: 'u/short-*', order: 1 },
        { model: 'u/*', order: 2 },
      ],
    },
  },
}))

let models = 0
/** A new model for each test: what is learnt of one is not known of another. */
const fresh = (front = 'u/') => `${front}${++models}`
const posts = () => upstream.seen.filter(({ method }) => method === 'POST').map(({ body }) => JSON.parse(body))

function answering(...scripts: Script[]): void {
  upstream.seen.length = 0
  upstream.script(...scripts)
}

const right = embeddingsOf([[0.6, 0.8]])

describe.each(runtimes)('Embeddings, on %s:', (runtime) => {
  const ask = (body: unknown): Promise<Reply> => both.ask(runtime, body, '/embeddings')

  it.each([
    ['numbers', embed('u/m'), embeddingsOf([[0.1, 1e-9]])],
    ['base64', embed('u/m', 'hi', { encoding_format: 'base64' }), embeddingsOf([base64([0.1, 2])], { x: 1 })],
    [
      'a length',
      embed('u/m', [[1, 2], [3]], { dimensions: 2 }),
      embeddingsOf([
        [1, 2],
        [3, 4],
      ]),
    ],
  ])('an answer that is right goes through byte for byte: %s', async (_, body, answer) => {
    const text = `${JSON.stringify(answer, null, 1)}\n`
    answering(json(200, text))
    const reply = await ask(body)
    expect([reply.status, reply.text]).toEqual([200, text])
    expect(posts()).toEqual([{ ...body, model: 'm' }])
  })

  it.each([
    ['numbers as base64', embed('u/m', 'hi', { encoding_format: 'base64' }), right, [base64([0.6, 0.8])]],
    ['base64 as numbers', embed('u/m'), embeddingsOf([base64([0.5, -2])]), [[0.5, -2]]],
    [
      'base64 as numbers where asked to',
      embed('u/m', 'hi', { encoding_format: 'float' }),
      embeddingsOf([base64([1])]),
      [[1]],
    ],
  ])('vectors come in the form that was asked for: %s', async (_, body, answer, vectors) => {
    answering(json(200, answer))
    expect(vectorsOf(await ask(body))).toEqual(vectors)
  })

  it('a refused form is left out of the next requests, and made here', async () => {
    const model = fresh()
    const refusal = { error: { message: "Unsupported value: encoding_format 'base64'", type: 'invalid_request_error' } }
    answering(json(400, refusal), json(200, right))
    for (let time = 0; time < 2; time++) {
      const reply = await ask(embed(model, 'hi', { encoding_format: 'base64' }))
      expect(vectorsOf(reply), reply.text).toEqual([base64([0.6, 0.8])])
    }
    expect(posts().map(({ encoding_format }) => encoding_format)).toEqual(['base64', undefined, undefined])
  })

  it('the order is that of the inputs, whatever order they were answered in', async () => {
    const data = [2, 0, 1].map((index) => ({ object: 'embedding', index, embedding: [index] }))
    answering(json(200, embeddingsOf([], { data })))
    const reply = await ask(embed('u/m', ['a', 'b', 'c']))
    expect(JSON.parse(reply.text).data).toEqual(
      [0, 1, 2].map((index) => ({ object: 'embedding', index, embedding: [index] })),
    )
  })

  it.each([
    ['nothing but vectors', { data: [{ embedding: [1, 2] }, { embedding: [3, 4] }] }],
    [
      'the same index for all',
      {
        object: 'list',
        data: [
          { index: 0, embedding: [1, 2] },
          { index: 0, embedding: [3, 4] },
        ],
      },
    ],
    [
      'indices as texts',
      {
        data: [
          { index: '1', embedding: [3, 4] },
          { index: '0', embedding: [1, 2] },
        ],
      },
    ],
    [
      'nulls',
      {
        object: null,
        model: null,
        usage: null,
        data: [
          { object: null, index: 0, embedding: [1, 2] },
          { index: 1, embedding: [3, 4] },
        ],
      },
    ],
  ])('what an answer lacks is filled in: %s', async (_, answer) => {
    answering(json(200, answer))
    const reply = await ask(embed('u/m', ['four', 'a text of 22 characters']))
    expect(JSON.parse(reply.text)).toEqual({
      object: 'list',
      data: [
        { object: 'embedding', index: 0, embedding: [1, 2] },
        { object: 'embedding', index: 1, embedding: [3, 4] },
      ],
      model: 'm',
      usage: { prompt_tokens: 7, total_tokens: 7 },
    })
  })

  it('usage is counted where the tokens themselves were sent, and kept where the upstream tells it', async () => {
    answering(
      json(200, { data: [{ embedding: [1] }] }),
      json(200, { data: [{ embedding: [1] }], usage: { total_tokens: 9, x: 1 } }),
    )
    expect(JSON.parse((await ask(embed('u/m', [5, 6, 7]))).text).usage).toEqual({ prompt_tokens: 3, total_tokens: 3 })
    expect(JSON.parse((await ask(embed('u/m'))).text).usage).toEqual({ prompt_tokens: 9, total_tokens: 9, x: 1 })
  })

  it.each([
    ['no list', { object: 'list' }, 'sent an answer without embeddings'],
    ['too few', embeddingsOf([[1]]), 'sent 1 embeddings for 2 inputs'],
    ['too many', embeddingsOf([[1], [2], [3]]), 'sent 3 embeddings for 2 inputs'],
    ['not a number', embeddingsOf([[1], [null]]), 'sent an embedding that is no list of numbers'],
    ['an empty vector', embeddingsOf([[1], []]), 'sent an embedding that is no list of numbers'],
    ['vectors for each token', embeddingsOf([[[1]], [[2]]]), 'sent an embedding that is no list of numbers'],
    [
      'no base64, of the right length',
      embeddingsOf([[1], '!!!!!!!!!!!!!!!!']),
      'sent an embedding that is no list of numbers',
    ],
    ['no base64', embeddingsOf([[1], 'a word']), 'sent an embedding that is no list of numbers'],
  ])('an answer that is none is a failure: %s', async (_, answer, said) => {
    answering(json(200, answer))
    const reply = await ask(embed(fresh(), ['a', 'b']))
    expect([reply.status, errorOf(reply).code]).toEqual([502, 'upstream_invalid_response'])
    expect(errorOf(reply).message).toContain(said)
  })

  it('an error under 200 is one', async () => {
    answering(json(200, { error: { message: "This model's maximum context length is 512 tokens", code: 400 } }))
    const reply = await ask(embed(fresh()))
    expect([reply.status, errorOf(reply).code]).toEqual([400, 'context_length_exceeded'])
  })
})

describe.each(runtimes)('The length of vectors, on %s:', (runtime) => {
  const ask = (body: unknown): Promise<Reply> => both.ask(runtime, body, '/embeddings')
  const four = embeddingsOf([[3, 4, 12, 84]])
  const matryoshka = {
    object: 'error',
    message:
      'Model "x" does not support matryoshka representation, changing output dimensions will lead to poor results.',
    type: 'BadRequestError',
    param: null,
    code: 400,
  }

  it.each([
    ['ignores it', four],
    ['has only shorter ones', embeddingsOf([[1]])],
    ['ignores it and sends base64', embeddingsOf([base64([1, 2, 3])])],
  ])('is an honest 400 where an upstream %s', async (_, answer) => {
    answering(json(200, answer))
    const reply = await ask(embed(fresh(), 'hi', { dimensions: 2 }))
    expect([reply.status, errorOf(reply)]).toMatchObject([400, { code: 'unsupported_parameter', param: 'dimensions' }])
    expect(posts()).toHaveLength(1)
  })

  it.each([
    ['vLLM', matryoshka],
    [
      'OpenAI',
      {
        error: {
          message: 'This model does not support specifying dimensions.',
          type: 'invalid_request_error',
          param: null,
          code: null,
        },
      },
    ],
  ])('is an honest 400 where %s refuses it', async (_, refusal) => {
    answering(json(400, refusal))
    const reply = await ask(embed(fresh(), 'hi', { dimensions: 2 }))
    expect([reply.status, errorOf(reply)]).toMatchObject([400, { code: 'unsupported_parameter', param: 'dimensions' }])
    expect(posts()).toHaveLength(1)
  })

  it('is asked of another deployment, which is remembered', async () => {
    const model = fresh('either-')
    answering((request, ...rest) => json(200, request.body.includes('short') ? four : right)(request, ...rest))
    for (let time = 0; time < 2; time++)
      expect(vectorsOf(await ask(embed(model, 'hi', { dimensions: 2 })))).toEqual([[0.6, 0.8]])
    expect(posts().map(({ model }) => model.includes('short'))).toEqual([true, false, false])
  })

  it.each([
    ['ignores it', [json(200, four)]],
    ['refuses it', [json(400, matryoshka), json(200, four)]],
    ['sends base64', [json(200, embeddingsOf([base64([3, 4, 12, 84])]))]],
  ])('is made here for a model whose vectors may be cut, where the upstream %s', async (_, scripts) => {
    answering(...scripts)
    const [vector] = vectorsOf(await ask(embed(fresh('cut-'), 'hi', { dimensions: 3 }))) as number[][]
    expect(vector).toHaveLength(3)
    expect(vector?.map((value) => value * 13)).toEqual([3, 4, 12].map((value) => expect.closeTo(value, 5)))
    expect(lengthOf(vector as number[])).toBeCloseTo(1, 6)
  })

  it('is never made longer', async () => {
    answering(json(200, four))
    const reply = await ask(embed(fresh('cut-'), 'hi', { dimensions: 5 }))
    expect([reply.status, errorOf(reply).param]).toEqual([400, 'dimensions'])
  })

  it('is cut in base64 too', async () => {
    answering(json(200, four))
    const reply = await ask(embed(fresh('cut-'), 'hi', { dimensions: 2, encoding_format: 'base64' }))
    expect(vectorsOf(reply)).toEqual([base64([0.6, 0.8])])
  })

  it('is not asked of a deployment that is configured without', async () => {
    answering(json(200, four))
    const reply = await ask(embed(fresh('whole-'), 'hi', { dimensions: 2 }))
    expect([reply.status, errorOf(reply).param]).toEqual([400, 'dimensions'])
    expect(posts()).toEqual([])
    expect((await ask(embed(fresh('whole-')))).status).toBe(200)
  })
})
