import { beforeEach, describe, expect, it } from 'vitest'
import type { Config } from '../../src/config/schema.ts'
import { chat, errorOf } from '../support/ask.ts'
import { runtimes, serveBoth } from '../support/both.ts'
import { json, type Script } from '../support/upstream.ts'

const configOf = (url: string): Config => ({
  providers: {
    ollama: { type: 'ollama', baseURL: url },
    v1: { type: 'ollama', api: 'openai', baseURL: url },
  },
  retries: 0,
  models: {
    small: { deployments: [{ model: 'ollama/x', contextWindow: 8192, supports: { audio: false } }] },
  },
})

const { upstream, both } = serveBoth('ollama-refusals', configOf)

const answer = { model: 'x', message: { role: 'assistant', content: 'hi' }, done: true, done_reason: 'stop' }
const user = (...content: object[]) => ({ messages: [{ role: 'user', content }] })
const image = (url: string) => user({ type: 'image_url', image_url: { url } })
const png = 'iVBORw0KGgo='
const bodies = () => upstream.seen.map(({ body }) => JSON.parse(body) as Record<string, unknown>)

describe.each(runtimes)('What Ollama would take without a word, on %s,', (runtime) => {
  beforeEach(() => {
    upstream.seen.length = 0
    upstream.script(json(200, answer))
  })

  const ask = (model: string, more: object) => both.ask(runtime, chat(model, more))

  it.each(['ollama/x', 'v1/x'])('is refused where it is a role that nobody knows: %s', async (model) => {
    const reply = await ask(model, { messages: [{ role: 'alien', content: 'hi' }] })
    expect(reply.status).toBe(400)
    expect(errorOf(reply)).toMatchObject({
      message:
        "Invalid value: 'alien'. Supported values are: 'system', 'assistant', 'user', 'function', 'tool', and 'developer'.",
      param: 'messages[0].role',
      code: 'invalid_value',
    })
    expect(upstream.seen).toEqual([])
  })

  it.each(['control', 'document 1'])('passes where it is a role that some templates know: %s', async (role) => {
    const messages = [
      { role, content: 'thinking' },
      { role: 'user', content: 'hi' },
    ]
    expect((await ask('ollama/x', { messages })).status).toBe(200)
    expect(bodies()[0]).toMatchObject({ messages })
  })

  it.each([`data:image/svg+xml;base64,${btoa('<svg/>')}`, 'data:image/png;base64,!!!!', 'data:image/bmp;base64,Qk0='])(
    'is refused where it is no image that models read: %s',
    async (url) => {
      const reply = await ask('ollama/x', image(url))
      expect([reply.status, errorOf(reply).param, errorOf(reply).code]).toEqual([
        400,
        'messages[0].content[0].image_url',
        'invalid_image_url',
      ])
    },
  )

  it('passes where it is an image, whatever its type is said to be', async () => {
    expect((await ask('ollama/x', image(`data:image/jpeg;base64,${png}`))).status).toBe(200)
    expect(bodies()[0]).toMatchObject({ messages: [{ images: [png] }] })
  })

  it('is refused where it is a recording for a model that doesn’t hear', async () => {
    const heard = user({ type: 'input_audio', input_audio: { data: 'UklGRg==', format: 'wav' } })
    const tools = [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }]
    const reply = await ask('small', { ...heard, tools })
    expect([reply.status, errorOf(reply).code, errorOf(reply).param]).toEqual([
      400,
      'unsupported_parameter',
      'messages',
    ])
    expect((await ask('ollama/x', heard)).status).toBe(200)
  })

  it.each(['ollama/x', 'v1/x'])('is refused where it is an effort that there isn’t: %s', async (model) => {
    const reply = await ask(model, { reasoning_effort: 'banana' })
    expect(errorOf(reply)).toMatchObject({
      message:
        "Invalid value: 'banana'. Supported values are: 'none', 'minimal', 'low', 'medium', 'high', 'xhigh', and 'max'.",
      param: 'reasoning_effort',
      code: 'invalid_value',
    })
  })

  it('is not the highest effort where an old version knows none that high', async () => {
    const old: Script = (request, ...rest) => {
      const error = 'invalid think value: "max" (must be "high", "medium", "low", true, or false)'
      return (request.body.includes('"max"') ? json(400, { error }) : json(200, answer))(request, ...rest)
    }
    upstream.script(old)
    const model = `ollama/old-${runtime}`
    for (const _ of [1, 2]) expect((await ask(model, { reasoning_effort: 'xhigh' })).status).toBe(200)
    expect(bodies().map(({ think }) => think)).toEqual(['max', 'high', 'high'])
  })

  it('is left out of the effort for a model that doesn’t think, whatever it is', async () => {
    upstream.script(json(400, { error: '"x" does not support thinking' }), json(200, answer))
    const model = `ollama/thoughtless-${runtime}`
    for (const _ of [1, 2]) expect((await ask(model, { reasoning_effort: 'xhigh' })).status).toBe(200)
    expect(bodies().map(({ think }) => think)).toEqual(['max', undefined, undefined])
  })

  it.each([
    ['/chat/completions', chat('', { reasoning_effort: 'high' })],
    [
      '/messages',
      {
        max_tokens: 9,
        messages: [{ role: 'user', content: 'hi' }],
        thinking: { type: 'enabled', budget_tokens: 2000 },
      },
    ],
  ])('is told where it was to think, in a request to %s, and is not where it wasn’t', async (path, body) => {
    upstream.script(json(400, { error: '"x" does not support thinking' }), json(200, answer))
    const model = `ollama/told-${path.slice(1, 5)}-${runtime}`
    const told = async (more: object) =>
      (await both.ask(runtime, { ...body, model, ...more }, path)).headers.get('x-samewire-dropped')
    expect([await told({}), await told({})]).toEqual(['reasoning_effort', 'reasoning_effort'])
    expect(await told({ reasoning_effort: 'none', thinking: { type: 'disabled' } })).toBeNull()
  })

  it('is no longer answer than the model has room for, if nobody says how long it may be', async () => {
    await ask('small', {})
    await ask('ollama/x', {})
    await ask('small', { max_tokens: 20_000 })
    expect(bodies().map(({ options }) => options)).toEqual([
      { num_predict: 8192 },
      { num_predict: 16_384 },
      { num_predict: 20_000 },
    ])
  })
})
