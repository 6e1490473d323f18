import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ask, chat, contentOf, errorOf, hastyClock, noLists, wordsOf } from '../support/ask.ts'
import { type RunningGateway, startGateway } from '../support/gateway.ts'
import {
  chatAnswer,
  chatFrames,
  type FakeUpstream,
  fakeUpstream,
  json,
  type Script,
  stream,
} from '../support/upstream.ts'

let upstream: FakeUpstream
let gateway: RunningGateway

/** OpenAI's reasoning models: they refuse one parameter at a time. */
const picky: Script = (request, response, socket) => {
  const body = JSON.parse(request.body) as Record<string, unknown>
  const refuse = (message: string, param: string, code: string) =>
    json(400, { error: { message, type: 'invalid_request_error', param, code } })(request, response, socket)
  if ('max_tokens' in body) {
    const message =
      "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
    return refuse(message, 'max_tokens', 'unsupported_parameter')
  }
  if (body.temperature !== undefined && body.temperature !== 1) {
    const message =
      "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) value is supported."
    return refuse(message, 'temperature', 'unsupported_value')
  }
  return json(200, chatAnswer('healed'))(request, response, socket)
}

const sent = () => upstream.seen.map(({ body }) => JSON.parse(body) as Record<string, unknown>)

beforeAll(async () => {
  upstream = await fakeUpstream()
})

// One for each test: what a gateway has learnt, it keeps.
beforeEach(async () => {
  await gateway?.close()
  upstream.seen.length = 0
  gateway = await startGateway(
    { providers: { openai: { type: 'openai', baseURL: upstream.url, apiKey: 'env:KEY' } } },
    { clock: hastyClock(), services: noLists, env: { KEY: 'sk-x' } },
  )
})

afterAll(async () => {
  await gateway.close()
  await upstream.close()
})

describe('A parameter that a model refuses', () => {
  it('is renamed as it says, on one retry, and from the start afterwards', async () => {
    upstream.script(picky)
    const reply = await ask(gateway, chat('openai/o3', { max_tokens: 5 }))
    expect(contentOf(reply.text)).toBe('healed')
    expect(reply.headers.get('x-samewire-attempts')).toBe('1')
    expect(sent()).toEqual([chat('o3', { max_tokens: 5 }), { ...chat('o3'), max_completion_tokens: 5 }])
    await ask(gateway, chat('openai/o3', { max_tokens: 6 }))
    expect(sent().slice(2)).toEqual([{ ...chat('o3'), max_completion_tokens: 6 }])
  })

  it('is dropped where only its default is taken', async () => {
    upstream.script(picky)
    expect((await ask(gateway, chat('openai/o3', { temperature: 0 }))).status).toBe(200)
    expect(sent()).toEqual([chat('o3', { temperature: 0 }), chat('o3')])
  })

  it('may be one of two, which the model refuses one after the other', async () => {
    upstream.script(picky)
    const reply = await ask(gateway, chat('openai/o3', { max_tokens: 5, temperature: 0 }))
    expect(contentOf(reply.text)).toBe('healed')
    expect(sent().at(-1)).toEqual({ ...chat('o3'), max_completion_tokens: 5 })
    await ask(gateway, chat('openai/o3', { max_tokens: 5, temperature: 0 }))
    expect(upstream.seen).toHaveLength(4)
  })

  it.each<[string, boolean, (error: object) => Script]>([
    ['in the first event of a stream', true, (error) => stream([`data: ${JSON.stringify({ error })}\n\n`])],
    ['in a whole answer with a status of success', false, (error) => json(200, { error })],
  ])('is dropped and remembered as well when it is refused %s', async (_where, streamed, refusal) => {
    const error = {
      message: "Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens' instead.",
      type: 'invalid_request_error',
      param: 'max_tokens',
      code: 'unsupported_parameter',
    }
    upstream.script((request, response, socket) =>
      ('max_tokens' in JSON.parse(request.body)
        ? refusal(error)
        : streamed
          ? stream(chatFrames('healed'))
          : json(200, chatAnswer('healed')))(request, response, socket),
    )
    for (const attempts of [2, 1]) {
      upstream.seen.length = 0
      const reply = await ask(gateway, chat('openai/o3', { max_tokens: 5, stream: streamed }))
      expect(streamed ? wordsOf(reply.text) : contentOf(reply.text)).toBe('healed')
      expect(upstream.seen).toHaveLength(attempts)
      expect(reply.headers.get('x-samewire-attempts')).toBe('1')
    }
  })

  it('is remembered for that model alone', async () => {
    upstream.script(picky)
    await ask(gateway, chat('openai/o3', { max_tokens: 5 }))
    upstream.script(json(200, chatAnswer('x')))
    await ask(gateway, chat('openai/gpt-4', { max_tokens: 5 }))
    expect(sent().at(-1)).toEqual(chat('gpt-4', { max_tokens: 5 }))
  })

  it('is told to the client when the cure does not help, and not asked about for ever', async () => {
    const message = "Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens' instead."
    upstream.script(json(400, { error: { message, type: 'x', param: 'max_tokens', code: 'unsupported_parameter' } }))
    const reply = await ask(gateway, chat('openai/o3', { max_tokens: 5 }))
    expect([reply.status, errorOf(reply).param]).toEqual([400, 'max_tokens'])
    expect(upstream.seen).toHaveLength(2)
  })

  it('costs a bounded number of tries whatever the upstream says', async () => {
    upstream.script((request, response, socket) => {
      const param = `p${upstream.seen.length}`
      const message = `Use '${param}x' instead`
      return json(400, { error: { message, type: 'x', param, code: 'unsupported_parameter' } })(
        request,
        response,
        socket,
      )
    })
    expect((await ask(gateway, chat('openai/o3'))).status).toBe(400)
    expect(upstream.seen.length).toBeLessThan(10)
  })

  it('is a mistake of the client where the model says no more', async () => {
    const error = { message: 'Invalid value for temperature', type: 'x', param: 'temperature', code: 'invalid_value' }
    upstream.script(json(400, { error }))
    const reply = await ask(gateway, chat('openai/o3', { temperature: 9 }))
    expect(errorOf(reply)).toEqual(error)
    expect(upstream.seen).toHaveLength(1)
  })
})

describe('A model that only chats', () => {
  const message =
    'This is a chat model and not supported in the v1/completions endpoint. Did you mean to use v1/chat/completions?'
  const chatOnly: Script = (request, response, socket) => {
    const refusal = json(404, { error: { message, type: 'invalid_request_error', param: 'model', code: null } })
    if (request.path === '/completions') return refusal(request, response, socket)
    if (!request.body.includes('"stream":true')) return json(200, chatAnswer('four'))(request, response, socket)
    return response.writeHead(200, { 'content-type': 'text/event-stream' }).end(chatFrames('fo', 'ur').join(''))
  }
  const path = '/completions'

  it('answers on the old route, by way of chat, and at once the next time', async () => {
    upstream.script(chatOnly)
    const first = await ask(gateway, { model: 'openai/gpt-4o', prompt: '2+2=' }, { path })
    expect(JSON.parse(first.text)).toMatchObject({
      object: 'text_completion',
      choices: [{ text: 'four', finish_reason: 'stop' }],
    })
    await ask(gateway, { model: 'openai/gpt-4o', prompt: '2+2=' }, { path })
    expect(upstream.seen.map((request) => request.path)).toEqual([
      '/completions',
      '/chat/completions',
      '/chat/completions',
    ])
    expect(sent()[1]).toMatchObject({ model: 'gpt-4o', max_tokens: 16, messages: [{ role: 'user', content: '2+2=' }] })
  })

  it('answers there under the name of a limit that it takes, also for the limit of 16 that the gateway sets', async () => {
    upstream.script((request, ...rest) => (request.path === '/completions' ? chatOnly : picky)(request, ...rest))
    for (const more of [{}, { max_tokens: 5 }]) {
      const reply = await ask(gateway, { model: 'openai/o3', prompt: '2+2=', ...more }, { path })
      expect(JSON.parse(reply.text)).toMatchObject({ choices: [{ text: 'healed' }] })
    }
    expect(sent().map(({ max_tokens, max_completion_tokens }) => [max_tokens, max_completion_tokens])).toEqual([
      [undefined, undefined],
      [16, undefined],
      [undefined, 16],
      [undefined, 5],
    ])
  })

  it('streams on the old route in the old shape', async () => {
    upstream.script(chatOnly)
    const { text } = await ask(gateway, { model: 'openai/gpt-4o', prompt: 'x', stream: true }, { path })
    const events = text.trim().split('\n\n')
    expect(events.at(-1)).toBe('data: [DONE]')
    const chunks = events
      .slice(0, -1)
      .map((line) => JSON.parse(line.slice(6)) as { object: string; choices: { text: string }[] })
    expect(chunks.map(({ choices }) => choices[0]?.text).join('')).toBe('four')
    expect(new Set(chunks.map(({ object }) => object))).toEqual(new Set(['text_completion']))
  })

  it.each([{ echo: true }, { best_of: 2 }, { logprobs: 1 }, { suffix: 'x' }, { prompt: ['a', 'b'] }])(
    'refuses what it cannot do there by its name: %j',
    async (more) => {
      upstream.script(chatOnly)
      const reply = await ask(gateway, { model: 'openai/gpt-4o', prompt: 'x', ...more }, { path })
      expect(reply.status).toBe(400)
      expect(errorOf(reply)).toMatchObject({ code: 'unsupported_parameter', param: Object.keys(more)[0] })
    },
  )
})
