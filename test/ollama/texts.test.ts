import { describe, expect, it } from 'vitest'
import { runtimes, serveBoth } from '../support/both.ts'
import { askOllama, lastSeen, linesOf } from '../support/ollama.ts'
import { chatAnswer, chatFrames, json, stream } from '../support/upstream.ts'

const { upstream, both } = serveBoth(
  'ollama-texts',
  (url) => ({
    providers: {
      up: { type: 'openai-compatible', baseURL: url },
      local: { type: 'ollama', baseURL: url },
      demo: { type: 'embedded' },
      claude: { type: 'anthropic', baseURL: url, apiKey: 'env:KEY' },
      v1: { type: 'ollama', baseURL: url, api: 'openai' },
    },
    models: { safe: { deployments: ['claude/m'], fallbacks: ['local/m'] } },
    cooldown: false,
  }),
  { env: { KEY: 'k' } },
)

const isoTime = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ'

describe.each(runtimes)('On %s, /api/generate', (runtime) => {
  const ask = (body: object) => askOllama(both, runtime, '/api/generate', { model: 'up/m', prompt: 'hi', ...body })

  it('answers a prompt and its system text', async () => {
    upstream.script(json(200, chatAnswer('Hello!')))
    const reply = await ask({ system: 'Be brief.', images: [png], stream: false, options: { num_predict: 9 } })
    expect(JSON.parse(reply.text)).toMatchObject({
      ...{ model: 'fake-model', created_at: isoTime, response: 'Hello!', done: true, done_reason: 'stop' },
      ...{ prompt_eval_count: 3, eval_count: 2, total_duration: expect.any(Number) },
    })
    const url = `data:image/png;base64,${png}`
    const content = [
      { type: 'text', text: 'hi' },
      { type: 'image_url', image_url: { url } },
    ]
    expect(lastSeen(upstream).body).toEqual({
      model: 'm',
      max_tokens: 9,
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content },
      ],
    })
  })

  it('streams by default', async () => {
    upstream.script(stream(chatFrames('Hel', 'lo')))
    const lines = linesOf((await ask({})).text)
    expect(lines.map(({ response, done }) => [response, done])).toEqual([
      ['Hel', false],
      ['lo', false],
      ['', true],
    ])
  })

  it('tells what it goes without', async () => {
    upstream.script(json(200, chatAnswer('ok')))
    const reply = await ask({ stream: false, template: '{{ .Prompt }}', context: [1, 2] })
    expect([reply.status, reply.headers.get('x-samewire-dropped')]).toEqual([200, 'template, context'])
  })

  it.each([
    [{ model: 'claude/m', suffix: 'end' }, 'this model does not support insert'],
    [{ model: 'claude/m', raw: true }, 'this model does not support raw mode'],
    [{ model: 'v1/m', raw: true }, 'this model does not support raw mode'],
    [{ raw: true, images: [png] }, 'this model does not support images in raw mode'],
    [{ raw: true, system: 'a' }, 'raw mode does not support template, system, or context'],
  ])('refuses what no chat does, where there is nothing else: %j', async (more, error) => {
    const reply = await ask(more)
    expect([reply.status, JSON.parse(reply.text)]).toEqual([400, { error }])
  })

  const completion = (choice: object, more: object = {}) => ({
    ...{ id: 'cmpl-1', object: 'text_completion', created: 1, model: 'm-1' },
    ...{ choices: [{ text: '', index: 0, logprobs: null, finish_reason: null, ...choice }], ...more },
  })
  const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 }

  it('goes to the completions of a model with a raw prompt, or a text to end in', async () => {
    upstream.script(json(200, completion({ text: 'llo', finish_reason: 'length' }, { usage })))
    const whole = { stream: false, options: { num_predict: 9, repeat_penalty: 1.1 } }
    for (const more of [
      { raw: true, prompt: 'He' },
      { prompt: 'He', suffix: '!' },
    ]) {
      const reply = await ask({ ...whole, ...more })
      expect(JSON.parse(reply.text)).toMatchObject({
        ...{ model: 'm-1', created_at: isoTime, response: 'llo', done: true, done_reason: 'length' },
        ...{ prompt_eval_count: 3, eval_count: 2 },
      })
      const { raw: _, ...rest } = { raw: true, ...more }
      expect(lastSeen(upstream)).toEqual({
        path: '/completions',
        body: { model: 'm', max_tokens: 9, repetition_penalty: 1.1, ...rest },
      })
    }
  })

  it('streams these too, without a limit of 16 tokens', async () => {
    const frames = [
      completion({ text: 'He' }),
      completion({ text: 'y', finish_reason: 'stop' }),
      completion({}, { choices: [], usage }),
    ]
    upstream.script(stream([...frames.map((one) => `data: ${JSON.stringify(one)}\n\n`), 'data: [DONE]\n\n']))
    const lines = linesOf((await ask({ raw: true })).text)
    expect(lines.map(({ response, done }) => [response, done])).toEqual([
      ['He', false],
      ['y', false],
      ['', true],
    ])
    expect(lines.at(-1)).toMatchObject({ done_reason: 'stop', eval_count: 2 })
    expect(lastSeen(upstream).body).toMatchObject({ prompt: 'hi', max_tokens: 4096, stream: true })
  })

  it('tells the tokens of these in its own form', async () => {
    const logprobs = { tokens: ['H', 'i'], token_logprobs: [-0.5, -1], top_logprobs: [{ H: -0.5, B: -2 }, { i: -1 }] }
    upstream.script(json(200, completion({ text: 'Hi', finish_reason: 'stop', logprobs })))
    const reply = await ask({ raw: true, stream: false, logprobs: true, top_logprobs: 2 })
    expect(lastSeen(upstream).body).toMatchObject({ logprobs: 2 })
    expect(JSON.parse(reply.text)).toMatchObject({
      logprobs: [
        {
          token: 'H',
          logprob: -0.5,
          top_logprobs: [
            { token: 'H', logprob: -0.5 },
            { token: 'B', logprob: -2 },
          ],
        },
        { token: 'i', logprob: -1, top_logprobs: [{ token: 'i', logprob: -1 }] },
      ],
    })
  })

  it('is answered by the embedded model without a template', async () => {
    const reply = await ask({ model: 'demo/tiny-chat', raw: true, stream: false, options: { num_predict: 5 } })
    expect(JSON.parse(reply.text)).toMatchObject({ response: expect.stringMatching(/./), done: true, eval_count: 5 })
  })

  it('goes to another deployment for that', async () => {
    const told = '{"model":"m","created_at":"2026-11-23T02:58:27Z","response":"x","done":true,"done_reason":"stop"}'
    upstream.script(json(200, told))
    const reply = await ask({ model: 'safe', suffix: 'end', stream: false })
    expect([reply.text, lastSeen(upstream)]).toEqual([
      told,
      { path: '/api/generate', body: { model: 'm', prompt: 'hi', suffix: 'end', stream: false } },
    ])
  })

  it.each([
    [{}, 'load'],
    [{ keep_alive: 0 }, 'unload'],
  ])('without a prompt only loads or unloads: %j', async (more, reason) => {
    const before = upstream.seen.length
    const reply = await ask({ prompt: '', ...more })
    expect(JSON.parse(reply.text)).toEqual({
      ...{ model: 'up/m', created_at: isoTime, response: '', done: true, done_reason: reason },
    })
    expect(upstream.seen.length).toBe(before)
  })
})

describe.each(runtimes)('On %s, embeddings', (runtime) => {
  const vectors = (...list: unknown[]) => ({
    object: 'list',
    data: list.map((embedding, index) => ({ object: 'embedding', index, embedding })).reverse(),
    model: 'fake-embed',
    usage: { prompt_tokens: 4, total_tokens: 4 },
  })
  const ask = (path: string, body: object) => askOllama(both, runtime, path, { model: 'up/m', ...body })

  it.each([
    ['a text', 'a', ['a'], [[1, 2]]],
    [
      'texts',
      ['a', 'b'],
      ['a', 'b'],
      [
        [1, 2],
        [3, 4],
      ],
    ],
  ])('of %s are in the order of the input', async (_name, input, sent, embeddings) => {
    upstream.script(json(200, vectors(...embeddings)))
    const reply = await ask('/api/embed', { input, dimensions: 2, truncate: true })
    expect(JSON.parse(reply.text)).toEqual({
      ...{ model: 'fake-embed', embeddings, prompt_eval_count: 4 },
      ...{ total_duration: expect.any(Number), load_duration: expect.any(Number) },
    })
    expect(lastSeen(upstream).body).toMatchObject({ input: sent, dimensions: 2 })
    expect(reply.headers.get('x-samewire-dropped')).toBe('truncate')
  })

  it('have the measures that Ollama gives also where the provider counts nothing', async () => {
    const { usage: _, ...uncounted } = vectors([1, 2])
    upstream.script(json(200, uncounted))
    expect(JSON.parse((await ask('/api/embed', { input: 'a' })).text)).toMatchObject({
      prompt_eval_count: expect.any(Number),
      total_duration: expect.any(Number),
      load_duration: expect.any(Number),
    })
  })

  it('of one text have their old form at the old path', async () => {
    upstream.script(json(200, vectors([1, 2])))
    const reply = await ask('/api/embeddings', { prompt: 'a' })
    expect(JSON.parse(reply.text)).toEqual({ embedding: [1, 2] })
    expect(lastSeen(upstream)).toMatchObject({ path: '/embeddings', body: { input: ['a'] } })
  })

  it.each([
    ['/api/embed', { input: [] }, { model: 'up/m', embeddings: [] }],
    ['/api/embed', {}, { model: 'up/m', embeddings: [] }],
    ['/api/embeddings', { prompt: '' }, { embedding: [] }],
  ])('of nothing only load the model at %s: %j', async (path, body, answer) => {
    const before = upstream.seen.length
    expect(JSON.parse((await ask(path, body)).text)).toEqual(answer)
    expect(upstream.seen.length).toBe(before)
  })

  it('are made by the embedded model', async () => {
    const reply = await ask('/api/embed', { model: 'demo/tiny-chat', input: ['a', 'b'] })
    const { embeddings } = JSON.parse(reply.text) as { embeddings: number[][] }
    expect(embeddings.map(({ length }) => length)).toEqual([128, 128])
  })
})
