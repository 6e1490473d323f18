import { describe, expect, it } from 'vitest'
import { chat, errorOf, type Reply } from '../support/ask.ts'
import { runtimes, serveBoth } from '../support/both.ts'
import { base64, embed, embeddingsOf, telling, vectorsOf } from '../support/embeddings.ts'
import { chatAnswer, json, type Script, text } from '../support/upstream.ts'

const { upstream, both } = serveBoth(
  'embeddings-providers',
  (url) => ({
    providers: {
      ollama: { type: 'ollama', baseURL: url },
      v1: { type: 'ollama', baseURL: url, api: 'openai' },
      hf: { type: 'huggingface', baseURL: `${url}/v1` },
      tgi: { type: 'huggingface', endpointUrl: url, engine: 'tgi' },
      endpoint: { type: 'huggingface', endpointUrl: url },
      u: { type: 'openai-compatible', baseURL: url },
      llama: { type: 'llamacpp', baseURL: url },
      studio: { type: 'lmstudio', baseURL: url },
      mistral: { type: 'mistral', baseURL: url, apiKey: 'env:ANY_KEY' },
      groq: { type: 'groq', baseURL: url, apiKey: 'env:ANY_KEY' },
      deepseek: { type: 'deepseek', baseURL: url, apiKey: 'env:ANY_KEY' },
    },
    models: {
      'cut-*': { deployments: [{ model: 'hf/org/*', supports: { dimensions: true } }] },
      safe: { deployments: ['llama/m'], fallbacks: ['v1/m'] },
    },
  }),
  { env: { HF_TOKEN: 'hf_of_the_test', ANY_KEY: 'sk-any' } },
)

const sent = () => {
  const last = upstream.seen.filter(({ method }) => method === 'POST').at(-1)
  return last && { path: last.path, body: JSON.parse(last.body) }
}
const posts = () => upstream.seen.filter(({ method }) => method === 'POST').length

/** A list of models for those that are asked for one, and the scripts for requests. */
function answering(...scripts: Script[]): void {
  upstream.seen.length = 0
  let at = 0
  upstream.script((request, ...rest) => {
    if (request.method === 'GET') return json(200, { data: [{ id: 'm' }] })(request, ...rest)
    return (scripts[Math.min(at++, scripts.length - 1)] as Script)(request, ...rest)
  })
}

describe.each(runtimes)('Ollama embeds, on %s:', (runtime) => {
  const ask = (body: unknown): Promise<Reply> => both.ask(runtime, body, '/embeddings')
  const embedded = { model: 'm:latest', embeddings: [[0.6, 0.8]], total_duration: 14143917, prompt_eval_count: 8 }

  it('by its own API, with its own options', async () => {
    answering(json(200, embedded))
    const more = {
      encoding_format: 'float',
      dimensions: 2,
      user: 'me',
      keep_alive: '1m',
      num_ctx: 512,
      options: { seed: 1 },
    }
    const reply = await ask(embed('ollama/m', ['hi'], more))
    expect(JSON.parse(reply.text)).toEqual({
      object: 'list',
      data: [{ object: 'embedding', index: 0, embedding: [0.6, 0.8] }],
      model: 'm:latest',
      usage: { prompt_tokens: 8, total_tokens: 8 },
    })
    expect(sent()).toEqual({
      path: '/api/embed',
      body: {
        model: 'm',
        input: ['hi'],
        truncate: false,
        dimensions: 2,
        keep_alive: '1m',
        options: { seed: 1, num_ctx: 512 },
      },
    })
  })

  it('as base64, which is made here', async () => {
    answering(json(200, embedded))
    expect(vectorsOf(await ask(embed('ollama/m', 'hi', { encoding_format: 'base64' })))).toEqual([base64([0.6, 0.8])])
    expect(sent()?.body).not.toHaveProperty('encoding_format')
  })

  it('and cuts texts where the client says so', async () => {
    answering(json(200, embedded))
    await ask(embed('ollama/m', 'hi', { truncate: true }))
    expect(sent()?.body.truncate).toBe(true)
  })

  it('a text that is too long is one, and not cut', async () => {
    answering(json(400, { error: 'the input length exceeds the context length' }))
    expect(errorOf(await ask(embed('ollama/m')))).toMatchObject({ code: 'context_length_exceeded', param: 'input' })
  })

  it.each(['ollama', 'v1'])('tokens are an honest 400, since %s would not know them', async (provider) => {
    answering(telling)
    const reply = await ask(embed(`${provider}/m`, [1, 2]))
    expect([reply.status, errorOf(reply)]).toMatchObject([400, { code: 'unsupported_parameter', param: 'input' }])
    expect(posts()).toBe(0)
  })

  it('an empty text is refused as by OpenAI, since Ollama answers without a vector', async () => {
    answering(json(200, { ...embedded, embeddings: [] }))
    const reply = await ask(embed('ollama/m', ''))
    expect([reply.status, errorOf(reply).message]).toEqual([400, expect.stringContaining("'$.input' is invalid")])
  })

  it('a model that is not pulled is missing', async () => {
    answering(json(404, { error: 'model "m" not found, try pulling it first' }))
    const reply = await ask(embed('ollama/m'))
    expect([reply.status, errorOf(reply).code, reply.headers.get('x-samewire-reason')]).toEqual([
      404,
      'model_not_found',
      'model_unavailable_upstream',
    ])
  })

  it('by its /v1 where that is configured', async () => {
    answering(json(200, embeddingsOf([[1]])))
    const body = embed('v1/m', ['hi'], { encoding_format: 'float' })
    expect(vectorsOf(await ask(body))).toEqual([[1]])
    expect(sent()).toEqual({ path: '/v1/embeddings', body: { ...body, model: 'm' } })
  })
})

describe.each(runtimes)('Hugging Face embeds, on %s:', (runtime) => {
  const ask = (body: unknown): Promise<Reply> => both.ask(runtime, body, '/embeddings')

  it.each([
    [
      'a list of vectors',
      ['four', 'eight...'],
      [
        [1, 2],
        [3, 4],
      ],
    ],
    ['a list of one', 'a text of 12', [[1, 2]]],
    ['a vector alone', 'a text of 12', [1, 2]],
  ])('by the router’s feature extraction, which answers with %s', async (_, input, answer) => {
    answering(json(200, answer))
    const reply = await ask(
      embed('hf/org/model:hf-inference', input, { normalize: true, user: 'me', encoding_format: 'float' }),
    )
    expect(JSON.parse(reply.text)).toMatchObject({
      object: 'list',
      data: [answer]
        .flat(Array.isArray(answer[0]) ? 1 : 0)
        .map((embedding, index) => ({ object: 'embedding', index, embedding })),
      model: 'org/model:hf-inference',
      usage: { prompt_tokens: 3, total_tokens: 3 },
    })
    expect(sent()).toEqual({
      path: '/hf-inference/models/org/model/pipeline/feature-extraction',
      body: { inputs: [input].flat(), normalize: true },
    })
  })

  it('in the form and the length that were asked for', async () => {
    answering(json(200, [[3, 4, 12]]))
    const reply = await ask(embed('cut-model', 'hi', { encoding_format: 'base64', dimensions: 2 }))
    expect(vectorsOf(reply), reply.text).toEqual([base64([0.6, 0.8])])
    expect(errorOf(await ask(embed('hf/org/model', 'hi', { dimensions: 2 }))).param).toBe('dimensions')
  })

  it.each([
    [
      'vectors for each token',
      [
        [
          [1, 2],
          [3, 4],
        ],
      ],
    ],
    [
      'vectors for each token, deeper',
      [
        [
          [
            [1, 2],
            [3, 4],
          ],
        ],
      ],
    ],
  ])('but not where it gives %s', async (_, answer) => {
    answering(json(200, answer))
    const reply = await ask(embed('hf/org/model'))
    expect([reply.status, errorOf(reply)]).toMatchObject([400, { code: 'unsupported_parameter', param: 'model' }])
    expect(posts()).toBe(1)
  })

  it.each([
    ['an object', {}],
    ['words', ['a', 'b']],
    ['too few', []],
  ])('an answer that is none is a failure: %s', async (_, answer) => {
    answering(json(200, answer))
    expect((await ask(embed('hf/org/model', 'hi'))).status).toBe(502)
  })

  it.each([
    ['tokens', embed('hf/org/model', [1, 2]), 'input'],
    ['another server behind the router', embed('hf/org/model:together'), 'model'],
  ])('not with %s', async (_, body, param) => {
    answering(telling)
    const reply = await ask(body)
    expect([reply.status, errorOf(reply)]).toMatchObject([400, { code: 'unsupported_parameter', param }])
    expect(posts()).toBe(0)
  })

  it.each(['hf/../../v1/chat', 'hf/a/..', 'hf/./x', 'hf/a%2f..', 'hf/a/b/c', 'hf/a?b', 'hf/\ud800', 'hf/日本'])(
    'and no name leads to another route: %j',
    async (model) => {
      answering(telling)
      const reply = await ask(embed(model))
      expect([reply.status, errorOf(reply).code]).toEqual([404, 'model_not_found'])
      expect(posts()).toBe(0)
    },
  )

  it('by an endpoint of its own', async () => {
    answering(telling)
    expect(vectorsOf(await ask(embed('endpoint/m', 'four')))).toEqual([[4, 0]])
    expect(sent()?.path).toBe('/v1/embeddings')
  })

  it('a text that is too long for TEI is one', async () => {
    answering(
      json(413, {
        error: 'Input validation error: `inputs` must have less than 512 tokens. Given: 601',
        error_type: 'Validation',
      }),
    )
    expect(errorOf(await ask(embed('endpoint/m', 'long')))).toMatchObject({ code: 'context_length_exceeded' })
  })
})

describe.each(runtimes)('A model or a server of another kind is told from a failure, on %s:', (runtime) => {
  const studio = (name: string) => ({
    error: {
      message: `Failed to load model "m". Error: Model is not ${name}.`,
      type: 'invalid_request_error',
      param: 'model',
      code: 'model_not_found',
    },
  })
  const unstarted = {
    error: {
      code: 501,
      message: 'This server does not support embeddings. Start it with `--embeddings`',
      type: 'not_supported_error',
    },
  }

  it.each<[string, string, string, number, unknown, string]>([
    [
      'OpenAI, embeddings',
      '/embeddings',
      'u',
      403,
      {
        error: {
          message: 'You are not allowed to generate embeddings from this model',
          type: 'invalid_request_error',
          param: null,
          code: null,
        },
      },
      'wrong_endpoint',
    ],
    [
      'OpenAI, chat',
      '/chat/completions',
      'u',
      403,
      {
        error: {
          message: 'You are not allowed to sample from this model',
          type: 'invalid_request_error',
          param: null,
          code: null,
        },
      },
      'wrong_endpoint',
    ],
    [
      'vLLM, embeddings',
      '/embeddings',
      'u',
      400,
      {
        object: 'error',
        message: 'The model does not support Embeddings API',
        type: 'BadRequestError',
        param: null,
        code: 400,
      },
      'wrong_endpoint',
    ],
    [
      'vLLM, chat',
      '/chat/completions',
      'u',
      400,
      {
        object: 'error',
        message: 'The model does not support Chat Completions API',
        type: 'BadRequestError',
        param: null,
        code: 400,
      },
      'wrong_endpoint',
    ],
    ['LM Studio, embeddings', '/embeddings', 'studio', 404, studio('embedding'), 'wrong_endpoint'],
    ['LM Studio, chat', '/chat/completions', 'studio', 404, studio('llm'), 'wrong_endpoint'],
    ['llama.cpp, embeddings', '/embeddings', 'llama', 501, unstarted, 'unsupported_parameter'],
    [
      'llama.cpp, chat',
      '/chat/completions',
      'llama',
      501,
      {
        error: {
          code: 501,
          message: 'This server does not support chat completions. Start it without `--embeddings`',
          type: 'not_supported_error',
        },
      },
      'unsupported_parameter',
    ],
    [
      'llama.cpp, pooling',
      '/embeddings',
      'llama',
      400,
      {
        error: {
          code: 400,
          message: "Pooling type 'none' is not OAI compatible. Please use a different pooling type",
          type: 'invalid_request_error',
        },
      },
      'unsupported_parameter',
    ],
    ['Ollama, embeddings', '/embeddings', 'ollama', 501, { error: unstarted.error.message }, 'unsupported_parameter'],
    [
      'Ollama, chat',
      '/chat/completions',
      'ollama',
      400,
      { error: '"m" does not support chat' },
      'unsupported_parameter',
    ],
  ])('%s', async (_, path, provider, status, said, code) => {
    answering(json(status, said))
    const reply = await both.ask(runtime, { ...chat(`${provider}/m`), input: 'hi' }, path)
    expect([reply.status, errorOf(reply).code], reply.text).toEqual([code === 'wrong_endpoint' ? 404 : 400, code])
    expect(posts()).toBe(1)
  })

  it.each(['groq', 'deepseek', 'tgi'])('%s has no embeddings, and is not asked', async (provider) => {
    answering(telling)
    const reply = await both.ask(runtime, embed(`${provider}/m`), '/embeddings')
    expect([reply.status, errorOf(reply).code]).toEqual([404, 'wrong_endpoint'])
    expect(posts()).toBe(0)
  })

  it('and another deployment embeds', async () => {
    answering(json(501, unstarted), telling)
    expect(vectorsOf(await both.ask(runtime, embed('safe', 'four'), '/embeddings'))).toEqual([[4, 0]])
  })

  it('a server without the route has none', async () => {
    answering(text(404, 'Not Found'))
    const reply = await both.ask(runtime, embed('u/m'), '/embeddings')
    expect([reply.status, errorOf(reply).code]).toEqual([404, 'wrong_endpoint'])
  })

  it('a text that is too long for llama.cpp’s batch is one', async () => {
    const message =
      'input (596 tokens) is too large to process. increase the physical batch size (current batch size: 512)'
    answering(json(500, { error: { code: 500, message, type: 'server_error' } }))
    expect(errorOf(await both.ask(runtime, embed('llama/m'), '/embeddings'))).toMatchObject({
      code: 'context_length_exceeded',
    })
    expect(posts()).toBe(1)
  })
})

describe.each(runtimes)('Mistral, on %s:', (runtime) => {
  it('has another name for the length of vectors, which is learnt', async () => {
    const unknown = {
      object: 'error',
      message: {
        detail: [
          { type: 'extra_forbidden', loc: ['body', 'dimensions'], msg: 'Extra inputs are not permitted', input: 2 },
        ],
      },
      type: 'invalid_request_error',
      param: null,
      code: '3210',
      raw_status_code: 422,
    }
    answering(json(422, unknown), telling)
    const reply = await both.ask(runtime, embed('mistral/m', 'hi', { dimensions: 2 }), '/embeddings')
    expect(vectorsOf(reply), reply.text).toEqual([[2, 0]])
    expect(sent()?.body).toEqual({ model: 'm', input: 'hi', output_dimension: 2 })
  })

  it('still chats', async () => {
    answering(json(200, chatAnswer('hello')))
    expect((await both.ask(runtime, chat('mistral/m'))).text).toContain('hello')
  })
})
