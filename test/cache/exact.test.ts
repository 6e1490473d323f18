import { beforeEach, describe, expect, it } from 'vitest'
import type { CacheHost } from '../../src/cache/host.ts'
import { createCacheHost } from '../../src/node/cache.ts'
import { type AskOptions, ask, chat, eventsOf, noLists, wordsOf } from '../support/ask.ts'
import { gatewayStarter, ManualClock, serveUpstreams } from '../support/gateway.ts'
import { unrepeating } from '../support/unrepeating.ts'
import { chatAnswer, chatFrames, json, stream, text } from '../support/upstream.ts'

const { lab, spare } = serveUpstreams({ lab: unrepeating(), spare: unrepeating(() => 'spare') })
const start = gatewayStarter()
beforeEach(() => lab.script(unrepeating()))

const env = { KEY_A: 'sk-a-secret', KEY_B: 'sk-b-secret' }
const as = (key: string): AskOptions => ({ headers: { authorization: `Bearer ${key}` } })
const [a, b] = [as('sk-a-secret'), as('sk-b-secret')]

async function gatewayWith(
  more: object = {},
  options: { clock?: ManualClock; cacheHost?: () => Promise<CacheHost> } = {},
) {
  const providers = {
    lab: { type: 'openai-compatible', baseURL: lab.url },
    spare: { type: 'openai-compatible', baseURL: spare.url },
  }
  return await start(
    { providers, keys: ['env:KEY_A', 'env:KEY_B'], cache: { ttl: 60 }, retries: 0, ...more } as never,
    { env, services: noLists, ...options },
  )
}

const asked = (more: object = {}) => chat('lab/m', more)
const result = (reply: { readonly headers: Headers }) => reply.headers.get('x-samewire-cache')

describe('A kept answer', () => {
  it('goes to whoever asks the same with the same key, byte for byte, with its age and who gave it', async () => {
    const clock = new ManualClock()
    const gateway = await gatewayWith({}, { clock })
    const first = await ask(gateway, asked(), a)
    await clock.advance(7_400)
    const second = await ask(gateway, asked(), a)
    expect(second.text).toBe(first.text)
    expect([result(first), result(second)]).toEqual(['miss', 'hit'])
    expect(second.headers.get('age')).toBe('7')
    expect(second.headers.get('x-samewire-model')).toBe('lab/m')
    expect(second.headers.get('x-samewire-attempts')).toBe('0')
    expect(second.headers.get('content-type')).toBe('application/json')
    expect(lab.seen).toHaveLength(1)
  })

  it('goes to nobody with another key', async () => {
    const gateway = await gatewayWith()
    const first = await ask(gateway, asked(), a)
    const second = await ask(gateway, asked(), b)
    expect(second.text).not.toBe(first.text)
    expect(result(second)).toBe('miss')
  })

  it('goes to everybody if the configuration says so', async () => {
    const gateway = await gatewayWith({ cache: { ttl: 60, scope: 'public' } })
    const first = await ask(gateway, asked(), a)
    expect((await ask(gateway, asked(), b)).text).toBe(first.text)
  })

  it('goes to no other caller where each pays the provider with a key of their own', async () => {
    const providers = { lab: { type: 'openai-compatible', baseURL: lab.url, apiKey: 'client' } }
    const gateway = await gatewayWith({ providers, keys: undefined, cache: { ttl: 60, scope: 'public' } })
    const first = await ask(gateway, asked(), as('sk-own-1'))
    expect((await ask(gateway, asked(), as('sk-own-2'))).text).not.toBe(first.text)
    expect((await ask(gateway, asked(), as('sk-own-1'))).text).toBe(first.text)
  })

  it('is of no use after its time', async () => {
    const clock = new ManualClock()
    const gateway = await gatewayWith({}, { clock })
    await ask(gateway, asked(), a)
    await clock.advance(60_000)
    expect(result(await ask(gateway, asked(), a))).toBe('miss')
  })

  it('is the one for the order of fields, white space between them, and what says nothing to the model', async () => {
    const gateway = await gatewayWith()
    const first = await ask(gateway, '{"model":"lab/m","seed":1,"messages":[{"role":"user","content":"hi"}]}', a)
    const other =
      '{ "messages" : [{"role":"user","content":"hi"}],\n"user":"u","metadata":{"x":"1"},"seed": 1, "model":"lab/m" }'
    const second = await ask(gateway, other, a)
    expect([result(second), second.text]).toEqual(['hit', first.text])
  })

  it.each([
    ['seeds beyond 2^53', '"seed":12345678901234567890', '"seed":12345678901234567891'],
    ['a field that nobody knows', '"new_field":1', '"new_field":2'],
    ['how a number is written', '"temperature":1', '"temperature":1.0'],
    ['a field given twice', '"temperature":1,"temperature":0', '"temperature":0,"temperature":1'],
    ['what is to be kept at the provider', '"store":false', '"store":true'],
    ['fields that run into one another', '"a":1,"b":2', '"a":"1,\\"b\\":2"'],
  ])('is not the one for %s', async (_, one, other) => {
    const gateway = await gatewayWith()
    const body = (field: string) => `{"model":"lab/m",${field},"messages":[{"role":"user","content":"hi"}]}`
    await ask(gateway, body(one), a)
    expect(result(await ask(gateway, body(other), a))).toBe('miss')
    expect(result(await ask(gateway, body(one), a))).toBe('hit')
  })

  it('is not the one for another configuration of its model', async () => {
    const clock = new ManualClock()
    const host = createCacheHost({ clock, log() {} })
    const cacheHost = async () => host
    const models = (temperature: number) => ({
      m: { deployments: [{ model: 'lab/m', overrides: { temperature } }] },
    })
    const one = await gatewayWith({ models: models(0) }, { clock, cacheHost })
    await ask(one, chat('m'), a)
    const other = await gatewayWith({ models: models(1) }, { clock, cacheHost })
    expect(result(await ask(other, chat('m'), a))).toBe('miss')
    const again = await gatewayWith({ models: models(0) }, { clock, cacheHost })
    expect(result(await ask(again, chat('m'), a))).toBe('hit')
  })

  it('is not the one for a request that says where it may go', async () => {
    const gateway = await gatewayWith()
    await ask(gateway, asked(), a)
    expect(result(await ask(gateway, asked({ provider: { only: ['lab'] } }), a))).toBe('miss')
    expect(result(await ask(gateway, asked({ provider: { only: ['lab'] } }), a))).toBe('hit')
  })
})

describe('The form of an answer', () => {
  it('is that of the one kept: a stream comes again byte for byte', async () => {
    const gateway = await gatewayWith()
    const first = await ask(gateway, asked({ stream: true }), a)
    const second = await ask(gateway, asked({ stream: true }), a)
    expect([result(second), second.text]).toEqual(['hit', first.text])
    expect(second.headers.get('content-type')).toContain('text/event-stream')
  })

  it('becomes a whole answer with its usage, where the stream has told of it', async () => {
    const gateway = await gatewayWith()
    const first = await ask(gateway, asked({ stream: true, stream_options: { include_usage: true } }), a)
    const second = await ask(gateway, asked(), a)
    expect(result(second)).toBe('hit')
    const { choices, usage, object } = JSON.parse(second.text)
    expect(choices[0].message.content).toBe(wordsOf(first.text))
    expect([object, usage.total_tokens, choices[0].finish_reason]).toEqual(['chat.completion', 5, 'stop'])
  })

  it('becomes a stream, which tells the usage to those who ask', async () => {
    const gateway = await gatewayWith()
    const first = JSON.parse((await ask(gateway, asked(), a)).text)
    const plain = await ask(gateway, asked({ stream: true }), a)
    const counted = await ask(gateway, asked({ stream: true, stream_options: { include_usage: true } }), a)
    expect([result(plain), result(counted)]).toEqual(['hit', 'hit'])
    expect(wordsOf(plain.text)).toBe(first.choices[0].message.content)
    expect(plain.text).not.toContain('total_tokens')
    expect(eventsOf(counted.text).at(-2)?.data).toContain('"total_tokens":5')
    expect(plain.text.endsWith('data: [DONE]\n\n')).toBe(true)
  })

  it('has no chunk with the usage for those who have not asked for it', async () => {
    const gateway = await gatewayWith()
    await ask(gateway, asked({ stream: true, stream_options: { include_usage: true } }), a)
    const plain = await ask(gateway, asked({ stream: true }), a)
    expect(result(plain)).toBe('hit')
    expect(plain.text).not.toContain('"usage"')
    expect(eventsOf(plain.text).at(-1)?.data).toBe('[DONE]')
  })

  it('is asked for anew where the kept one lacks the usage', async () => {
    const gateway = await gatewayWith()
    await ask(gateway, asked({ stream: true }), a)
    expect(result(await ask(gateway, asked(), a))).toBe('miss')
    expect(result(await ask(gateway, asked({ stream: true, stream_options: { include_usage: true } }), a))).toBe('hit')
  })

  it('is that of the API which is spoken, whichever one asked first', async () => {
    const gateway = await gatewayWith()
    const body = { model: 'lab/m', max_tokens: 9, messages: [{ role: 'user', content: 'hi' }] }
    const first = await ask(gateway, body, { ...a, path: '/messages' })
    const second = await ask(gateway, body, { ...a, path: '/messages' })
    expect([result(second), JSON.parse(second.text).type]).toEqual(['hit', 'message'])
    expect(second.text).toBe(first.text)
  })
})

const messages = [{ role: 'user', content: 'hi' }]
const contents = [{ role: 'user', parts: [{ text: 'hi' }] }]

describe('Each API', () => {
  it.each([
    ['/responses', { model: 'lab/m', input: 'hi' }],
    ['/responses', { model: 'lab/m', input: 'hi', stream: true }],
    ['/messages', { model: 'lab/m', max_tokens: 9, messages, stream: true }],
    ['/../api/chat', { model: 'lab/m', messages, stream: false }],
    ['/../api/chat', { model: 'lab/m', messages }],
    ['/../v1beta/models/lab/m:generateContent', { contents }],
    ['/../v1beta/models/lab/m:streamGenerateContent?alt=sse', { contents }],
  ])('gets the same answer again: %s %j', async (path, body) => {
    const gateway = await gatewayWith()
    const first = await ask(gateway, body, { ...a, path })
    const second = await ask(gateway, body, { ...a, path })
    expect([first.status, result(first), result(second)]).toEqual([200, 'miss', 'hit'])
    const lasting = (text: string) =>
      text.replace(/"(total_duration|load_duration|\w*eval_duration)":\d+|"created_at":"[^"]+"/g, '')
    expect(lasting(second.text)).toBe(lasting(first.text))
    expect(lab.seen).toHaveLength(1)
  })

  it('makes a whole response of the stream of one, and the other way round', async () => {
    const gateway = await gatewayWith()
    const options = { ...a, path: '/responses' }
    const body = { model: 'lab/m', input: 'hi' }
    const streamed = await ask(gateway, { ...body, stream: true }, options)
    const whole = await ask(gateway, body, options)
    expect(result(whole)).toBe('hit')
    const last = eventsOf(streamed.text).findLast(({ data }) => data !== '[DONE]')
    expect(JSON.parse(whole.text)).toEqual(JSON.parse(last?.data ?? '').response)
    const other = { ...body, input: 'hello' }
    const first = await ask(gateway, other, options)
    const second = await ask(gateway, { ...other, stream: true }, options)
    expect(result(second)).toBe('hit')
    const completed = eventsOf(second.text).findLast(({ data }) => data !== '[DONE]')
    expect(JSON.parse(completed?.data ?? '').response).toEqual(JSON.parse(first.text))
  })
})

describe('What is not kept', () => {
  it.each([
    ['an error', json(500, { error: { message: 'no' } })],
    ['a refusal of what was asked', json(400, { error: { message: 'no', type: 'invalid_request_error' } })],
    [
      'an answer that was stopped by a filter',
      json(200, JSON.stringify(chatAnswer('x')).replace('"stop"', '"content_filter"')),
    ],
    ['a page', text(200, '<html></html>', 'text/html')],
  ])('is %s', async (_, script) => {
    const gateway = await gatewayWith()
    lab.script(script)
    await ask(gateway, asked(), a)
    lab.script(unrepeating())
    expect(result(await ask(gateway, asked(), a))).toBe('miss')
    expect(lab.seen).toHaveLength(2)
  })

  it.each([
    ['was cut', stream(chatFrames('half').slice(0, -2), 'reset')],
    ['ended without its finish', stream(chatFrames('half').slice(0, -2))],
    ['told an error', stream([...chatFrames('half').slice(0, 2), 'data: {"error":{"message":"no"}}\n\n'])],
    ['was stopped by a filter', stream(chatFrames('half').map((piece) => piece.replace('"stop"', '"content_filter"')))],
  ])('is a stream that %s', async (_, script) => {
    const gateway = await gatewayWith()
    lab.script(script)
    await ask(gateway, asked({ stream: true }), a).catch(() => {})
    lab.script(unrepeating())
    expect(result(await ask(gateway, asked({ stream: true }), a))).toBe('miss')
  })

  it('is an answer above the bound', async () => {
    const gateway = await gatewayWith({ cache: { ttl: 60, maxEntryBytes: 200 } })
    await ask(gateway, asked(), a)
    expect(result(await ask(gateway, asked(), a))).toBe('miss')
  })

  it('is what a model says that stood in, unless it is to be, and then as its own', async () => {
    const models = { m: { deployments: ['lab/m'], fallbacks: ['spare/n'] } }
    const gateway = await gatewayWith({ models, cooldown: false })
    lab.script(json(503, { error: { message: 'busy' } }))
    await ask(gateway, chat('m'), a)
    expect(result(await ask(gateway, chat('spare/n'), a))).toBe('miss')
    const keeping = await gatewayWith({ models, cooldown: false, cache: { ttl: 60, cacheFallbacks: true } })
    const stoodIn = await ask(keeping, chat('m'), a)
    const own = await ask(keeping, chat('spare/n'), a)
    expect([result(own), own.text]).toEqual(['hit', stoodIn.text])
    lab.script(unrepeating(() => 'back'))
    expect((await ask(keeping, chat('m'), a)).text).toContain('back')
  })

  it('is what its client wants to be kept nowhere, or from its model', async () => {
    const gateway = await gatewayWith()
    const said = (control: string) => ({ headers: { ...a.headers, 'cache-control': control } })
    const first = await ask(gateway, asked(), a)
    const bypassed = await ask(gateway, asked(), said('no-store'))
    expect([result(bypassed), bypassed.text === first.text]).toEqual(['bypass', false])
    expect((await ask(gateway, asked(), a)).text).toBe(first.text)
    const anew = await ask(gateway, asked(), said('no-cache'))
    expect([result(anew), anew.text === first.text]).toEqual(['miss', false])
    expect((await ask(gateway, asked(), a)).text).toBe(anew.text)
  })

  it('is older than its client allows', async () => {
    const clock = new ManualClock()
    const gateway = await gatewayWith({}, { clock })
    await ask(gateway, asked(), a)
    await clock.advance(10_000)
    const within = (seconds: number) => ({ headers: { ...a.headers, 'cache-control': `max-age=${seconds}` } })
    expect(result(await ask(gateway, asked(), within(10)))).toBe('hit')
    expect(result(await ask(gateway, asked(), within(9)))).toBe('miss')
  })

  it('is anything of a model that is not to be kept, or where nothing is configured', async () => {
    const models = { fresh: { deployments: ['lab/m'], cache: false }, kept: { deployments: ['lab/k'] } }
    const gateway = await gatewayWith({ models })
    await ask(gateway, chat('fresh'), a)
    expect(result(await ask(gateway, chat('fresh'), a))).toBe(null)
    await ask(gateway, chat('kept'), a)
    expect(result(await ask(gateway, chat('kept'), a))).toBe('hit')
    const plain = await gatewayWith({ cache: undefined })
    expect(result(await ask(plain, asked(), a))).toBe(null)
  })
})
