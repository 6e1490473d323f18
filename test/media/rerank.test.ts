import { describe, expect, it } from 'vitest'
import { errorOf, type Reply } from '../support/ask.ts'
import { runtimes, serveBoth } from '../support/both.ts'
import { json, type Script } from '../support/upstream.ts'

const { upstream, both } = serveBoth(
  'rerank',
  (url) => ({
    providers: {
      p: { type: 'openai-compatible', baseURL: `${url}/v1` },
      tei: { type: 'huggingface', endpointUrl: url, engine: 'tei' },
      llama: { type: 'llamacpp', baseURL: `${url}/v1` },
    },
  }),
  { env: { HF_TOKEN: 'hf_of_the_test' } },
)

const documents = ['lions', 'tigers', { text: 'bears' }]
const request = (model: string, more = {}) => ({ model, query: 'stripes', documents, ...more })
/** One answer for requests, and a list of models for who asks for that. */
function answering(script: Script): void {
  upstream.script((seen, ...rest) => (seen.method === 'GET' ? list : script)(seen, ...rest))
}
const list = json(200, { data: [{ id: 'm' }] })
const posted = () => upstream.seen.filter(({ method }) => method === 'POST').at(-1)

/** What a client reads of an answer. */
function ranking({ text }: Reply): unknown[] {
  const { results } = JSON.parse(text) as { results: { index: number; relevance_score: number; document?: unknown }[] }
  return results.map(({ index, relevance_score, document }) =>
    document === undefined ? [index, relevance_score] : [index, relevance_score, document],
  )
}

describe.each(runtimes)('On %s, documents are ranked', (runtime) => {
  const ask = (body: unknown) => both.ask(runtime, body, '/rerank')

  it.each([
    [
      'Cohere',
      {
        id: 'c',
        results: [
          { index: 1, relevance_score: 0.9 },
          { index: 0, relevance_score: 0.2 },
        ],
        meta: {},
      },
    ],
    [
      'llama.cpp, by index',
      {
        model: 'm',
        object: 'list',
        usage: { total_tokens: 9 },
        results: [
          { index: 0, relevance_score: 0.2 },
          { index: 1, relevance_score: 0.9 },
        ],
      },
    ],
    [
      'a server with TEI’s names',
      {
        results: [
          { index: 0, score: 0.2 },
          { index: 1, score: 0.9 },
        ],
      },
    ],
    [
      'Voyage',
      {
        object: 'list',
        data: [
          { index: 0, relevance_score: 0.2 },
          { index: 1, relevance_score: 0.9 },
        ],
      },
    ],
  ])('with the best first, whatever the upstream’s form: %s', async (_, answer) => {
    answering(json(200, answer))
    const reply = await ask(request('p/m'))
    expect(ranking(reply)).toEqual([
      [1, 0.9],
      [0, 0.2],
    ])
  })

  it('no more of them than were asked for, where the upstream gives all', async () => {
    answering(
      json(200, {
        model: 'm',
        results: [
          { index: 0, relevance_score: 0.2 },
          { index: 1, relevance_score: 0.9 },
        ],
      }),
    )
    expect(ranking(await ask(request('p/m', { top_n: 1 })))).toEqual([[1, 0.9]])
  })

  it('with their texts if the client wants them, and without if not', async () => {
    const vllm = {
      model: 'm',
      results: [
        { index: 2, relevance_score: 0.9, document: { text: 'bears' } },
        { index: 1, relevance_score: 0.1 },
      ],
    }
    answering(json(200, vllm))
    expect(ranking(await ask(request('p/m', { return_documents: true })))).toEqual([
      [2, 0.9, { text: 'bears' }],
      [1, 0.1, { text: 'tigers' }],
    ])
    expect(ranking(await ask(request('p/m', { return_documents: false })))).toEqual([
      [2, 0.9],
      [1, 0.1],
    ])
    answering(json(200, { results: [{ index: 1, score: 1, text: 'tigers' }] }))
    expect(ranking(await ask(request('p/m')))).toEqual([[1, 1, { text: 'tigers' }]])
  })

  it('byte for byte where nothing is wrong', async () => {
    const answer = '{ "model":"m", "results":[{"index":0,"relevance_score":0.50}],"odd":1e400 }'
    answering(json(200, answer))
    expect((await ask(request('p/m'))).text).toBe(answer)
  })

  it.each([
    ['no list', {}],
    ['words', { results: ['a'] }],
    ['an error', { error: { message: 'no' } }],
  ])('or the answer is a failure: %s', async (_, answer) => {
    answering(json(200, answer))
    const reply = await ask(request('p/m'))
    expect(reply.status).toBeGreaterThanOrEqual(400)
    errorOf(reply)
  })

  it.each([
    ['one that there is not', [3]],
    ['one before the first', [-1]],
    ['one twice', [1, 1]],
    ['none', []],
  ])('or the answer is a failure that says so: %s', async (_, indexes) => {
    answering(json(200, { results: indexes.map((index, at) => ({ index, relevance_score: 1 - at / 10 })) }))
    const reply = await ask(request('p/m'))
    expect([reply.status, errorOf(reply).code]).toEqual([502, 'upstream_invalid_response'])
    expect(errorOf(reply).message).toMatch(/^p ranked /)
  })

  it.each([0, -1])('and no more than %s of them can’t be asked for', async (top) => {
    answering(json(200, { results: [{ index: 0, relevance_score: 1 }] }))
    const before = upstream.seen.length
    const reply = await ask(request('p/m', { top_n: top }))
    expect([reply.status, errorOf(reply)]).toMatchObject([400, { code: 'integer_below_min_value', param: 'top_n' }])
    expect(upstream.seen.length).toBe(before)
  })

  it('by TEI, which has a form and a path of its own', async () => {
    answering(
      json(200, [
        { index: 1, score: 0.99 },
        { index: 0, score: 0.01 },
        { index: 2, score: 0.005 },
      ]),
    )
    const reply = await ask(request('tei/m', { top_n: 2, return_documents: true, truncate: true }))
    expect(ranking(reply)).toEqual([
      [1, 0.99, { text: 'tigers' }],
      [0, 0.01, { text: 'lions' }],
    ])
    expect(JSON.parse(reply.text)).toMatchObject({ model: 'm' })
    expect(posted()?.path).toBe('/rerank')
    expect(JSON.parse(posted()?.body ?? '')).toEqual({
      query: 'stripes',
      texts: ['lions', 'tigers', 'bears'],
      truncate: true,
    })
  })

  it('by TEI: documents without a text are an honest 400', async () => {
    const reply = await ask({ ...request('tei/m'), documents: [{ image: 'x' }] })
    expect([reply.status, errorOf(reply)]).toMatchObject([400, { code: 'unsupported_parameter', param: 'documents' }])
  })

  it('not by a llama.cpp that was started for something else', async () => {
    const error = {
      code: 501,
      message: 'This server does not support reranking. Start it with `--reranking`',
      type: 'not_supported_error',
    }
    answering(json(501, { error }))
    const reply = await ask(request('llama/m'))
    expect([reply.status, errorOf(reply)]).toMatchObject([400, { code: 'unsupported_parameter' }])
  })
})
