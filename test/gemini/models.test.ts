import { describe, expect, it } from 'vitest'
import { runtimes, serveBoth } from '../support/both.ts'
import { json } from '../support/upstream.ts'

const { upstream, both } = serveBoth('gemini-models', (url) => ({
  providers: { up: { type: 'openai-compatible', baseURL: url }, demo: { type: 'embedded' } },
  models: {
    small: { deployments: [{ model: 'up/small', contextWindow: 8192, maxOutput: 4096 }] },
    embedder: { deployments: ['up/e'] },
  },
  retries: 0,
  cooldown: false,
}))

const small = {
  ...{ name: 'models/small', version: '001', displayName: 'small', description: 'small' },
  ...{ inputTokenLimit: 8192, outputTokenLimit: 4096 },
  supportedGenerationMethods: ['generateContent', 'countTokens'],
}

describe.each(runtimes)('On %s', (runtime) => {
  async function get(path: string, headers: Record<string, string> = { 'x-goog-api-key': both.key }) {
    const response = await fetch(`${both.addresses[runtime].replace(/\/v1$/, '')}${path}`, { headers })
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  }

  it('models are listed in the form of Gemini, page by page', async () => {
    const { models } = (await get('/v1beta/models')).body as { models: { name: string }[] }
    expect(models).toContainEqual(small)
    const first = (await get('/v1beta/models?pageSize=1')).body
    const second = (await get(`/v1beta/models?pageSize=1&pageToken=${first.nextPageToken}`)).body
    expect([first.models, second.models]).toEqual([[models[0]], [models[1]]])
    expect((await get('/v1beta/models?pageSize=x')).body).toMatchObject({ error: { status: 'INVALID_ARGUMENT' } })
  })

  it('a model is told, and one that is none', async () => {
    expect((await get('/v1beta/models/small')).body).toEqual(small)
    expect(await get('/v1beta/models/none/such')).toMatchObject({
      status: 404,
      body: { error: { status: 'NOT_FOUND' } },
    })
  })

  it('version 1 lists them so for clients of Google only', async () => {
    expect((await get('/v1/models')).body).toHaveProperty('models')
    expect((await get('/v1/models/small')).body).toEqual(small)
    const bearer = { authorization: `Bearer ${both.key}` }
    expect((await get('/v1/models', bearer)).body).toMatchObject({ object: 'list' })
    expect((await get('/v1/models/small', bearer)).body).toMatchObject({ object: 'model' })
  })

  it('tokens are counted by a model that counts', async () => {
    const contents = [{ role: 'user', parts: [{ text: 'How many tokens are these?' }] }]
    for (const body of [{ contents }, { generateContentRequest: { contents } }]) {
      const reply = await both.ask(runtime, body, '/v1beta/models/demo/tiny-chat:countTokens')
      expect([reply.status, JSON.parse(reply.text)]).toEqual([200, { totalTokens: expect.any(Number) }])
    }
  })

  it('texts are embedded, one or several', async () => {
    const data = [
      { object: 'embedding', index: 1, embedding: [3, 4] },
      { object: 'embedding', index: 0, embedding: [1, 2] },
    ]
    const answer = { object: 'list', model: 'e', data, usage: { prompt_tokens: 2, total_tokens: 2 } }
    const content = (text: string) => ({ parts: [{ text }] })
    upstream.script(json(200, answer))
    // A number may be a text in proto's JSON.
    const requests = ['a', 'b'].map((text, at) => ({
      ...{ model: 'models/up/e', content: content(text), taskType: 'CLUSTERING' },
      outputDimensionality: [2, '2'][at],
    }))
    const many = await both.ask(runtime, { requests }, '/v1beta/models/up/e:batchEmbedContents')
    expect(JSON.parse(many.text)).toEqual({ embeddings: [{ values: [1, 2] }, { values: [3, 4] }] })
    expect(many.headers.get('x-samewire-dropped')).toBe('taskType')
    expect(JSON.parse(upstream.seen.at(-1)?.body ?? '')).toMatchObject({ model: 'e', input: ['a', 'b'], dimensions: 2 })
    upstream.script(json(200, { ...answer, data: [data[1]] }))
    const one = await both.ask(runtime, { content: content('a') }, '/v1beta/models/up/e:embedContent')
    expect(JSON.parse(one.text)).toEqual({ embedding: { values: [1, 2] } })
    const none = await both.ask(runtime, { requests: [] }, '/v1beta/models/up/e:batchEmbedContents')
    expect(JSON.parse(none.text)).toMatchObject({ error: { code: 400, status: 'INVALID_ARGUMENT' } })
  })
})
