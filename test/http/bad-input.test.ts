import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { ask, chat, errorOf, noLists } from '../support/ask.ts'
import { type RunningGateway, serveNode, startGateway } from '../support/gateway.ts'
import { chatAnswer, json } from '../support/upstream.ts'

const { upstream, gateway } = serveNode((baseURL) => ({ providers: { p: { type: 'openai-compatible', baseURL } } }), {
  script: json(200, chatAnswer('x')),
})

// Whatever a client sends, the next one is served.
afterEach(async () => {
  upstream.seen.length = 0
  expect((await ask(gateway, chat('p/m'))).status).toBe(200)
  expect(upstream.seen).toHaveLength(1)
  expect(gateway.logged).toEqual([])
})

async function refusal(body: string | Uint8Array, headers: Record<string, string> = {}, by = gateway) {
  upstream.seen.length = 0
  const response = await fetch(`${by.baseURL}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: body as string,
  })
  const reply = { status: response.status, headers: response.headers, text: await response.text() }
  const error = errorOf(reply)
  expect(upstream.seen).toEqual([])
  expect(error.type).toBe('invalid_request_error')
  expect(reply.text.length).toBeLessThan(1_000)
  return { status: reply.status, ...error }
}

const nested = (open: string, close: string, depth: number) =>
  `{"model":"p/m","messages":[],"x":${open.repeat(depth)}1${close.repeat(depth)}}`

describe('A body that can’t be read is refused', () => {
  it.each<[string, string | Uint8Array, RegExp]>([
    ['nothing', '', /could not parse the JSON body/],
    ['cut JSON', '{"model":"p/m","messages":[', /could not parse the JSON body/],
    ['words', 'hello', /could not parse/],
    ['two values', '{}{}', /could not parse/],
    ['single quotes', "{'model':'p/m'}", /could not parse/],
    ['a comment', '{"model":"p/m" /* hi */}', /could not parse/],
    ['a trailing comma', '{"model":"p/m",}', /could not parse/],
    ['NaN', '{"model":"p/m","temperature":NaN}', /could not parse/],
    ['a list', '[{"model":"p/m"}]', /not a JSON object/],
    ['null', 'null', /not a JSON object/],
    ['a number', '7', /not a JSON object/],
    ['text', '"p/m"', /not a JSON object/],
    ['bytes that are no UTF-8', Uint8Array.of(0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d), /not valid UTF-8/],
    ['a cut character', Buffer.from('{"model":"日"}').subarray(0, 11), /not valid UTF-8/],
    ['UTF-16', Buffer.from('\ufeff{"model":"p/m"}', 'utf16le'), /not valid UTF-8|could not parse/],
    ['zero bytes', new Uint8Array(100), /could not parse/],
    ['deep objects', nested('{"a":', '}', 100_000), /nests deeper than 256 levels/],
    ['deep lists', nested('[', ']', 100_000), /nests deeper than 256 levels/],
    ['deep lists without an end', `{"model":"p/m","x":${'['.repeat(100_000)}`, /nests deeper than 256 levels/],
    ['deep lists without an end, in a small body', `{"model":"p/m","x":${'['.repeat(10_000)}`, /could not parse/],
  ])('%s', async (_what, body, message) => {
    const { status, message: said } = await refusal(body)
    expect(status).toBe(400)
    expect(said).toMatch(message)
  })

  it.each([255, 200])('but not one that nests as tools do (%d levels)', async (depth) => {
    const reply = await ask(
      gateway,
      nested('[', ']', depth - 1).replace('"messages":[]', '"messages":[{"role":"user"}]'),
    )
    expect(reply.status).toBe(200)
  })
})

describe('A model that can’t be one is refused', () => {
  it.each<[string, string, string]>([
    ['5', 'invalid_type', "Invalid type for 'model': expected a string, but got an integer instead."],
    ['1.5', 'invalid_type', "Invalid type for 'model': expected a string, but got a decimal instead."],
    ['["p/m"]', 'invalid_type', "Invalid type for 'model': expected a string, but got an array instead."],
    ['{"id":"p/m"}', 'invalid_type', "Invalid type for 'model': expected a string, but got an object instead."],
    ['true', 'invalid_type', "Invalid type for 'model': expected a string, but got a boolean instead."],
    [`"${'x'.repeat(10_240)}"`, 'string_above_max_length', 'maximum length 512, but got a string with length 10240'],
    ['"p/m","model":"p/n"', 'duplicate_parameter', 'more than once'],
    ['"p/m","\\u006dode\\u006c":"p/n"', 'duplicate_parameter', 'more than once'],
  ])('%.40s', async (model, code, message) => {
    const error = await refusal(`{"messages":[{"role":"user","content":"hi"}],"model":${model}}`)
    expect(error).toMatchObject({ status: 400, param: 'model', code, message: expect.stringContaining(message) })
  })
})

describe('A field of the wrong type is refused by its name', () => {
  const user = { role: 'user', content: 'hi' }

  it.each<[string, object]>([
    ['messages', { messages: undefined }],
    ['messages', { messages: null }],
    ['messages', { messages: 'hi' }],
    ['messages', { messages: {} }],
    ['messages', { messages: [] }],
    ['messages[1]', { messages: [user, 'hi'] }],
    ['messages[0].role', { messages: [{ content: 'hi' }] }],
    ['messages[0].role', { messages: [{ role: 1 }] }],
    ['messages[0].content', { messages: [{ role: 'user', content: 5 }] }],
    ['messages[0].content', { messages: [{ role: 'user', content: { text: 'hi' } }] }],
    ['messages[0].content[0]', { messages: [{ role: 'user', content: ['hi'] }] }],
    ['stream', { stream: 'true' }],
    ['stream', { stream: 1 }],
    ['temperature', { temperature: 'hot' }],
    ['max_tokens', { max_tokens: 1.5 }],
    ['n', { n: '2' }],
    ['stop', { stop: [1] }],
    ['tools', { tools: {} }],
    ['response_format', { response_format: 'json' }],
    ['stream_options', { stream_options: true }],
    ['logit_bias', { logit_bias: [] }],
  ])('%s: %j', async (param, more) => {
    const error = await refusal(JSON.stringify({ model: 'p/m', messages: [user], ...more }))
    expect(error).toMatchObject({ status: 400, param })
    expect(error.message).toContain(`'${param}'`)
  })

  it.each([
    { temperature: null, stop: null, tools: null },
    { future_field: { a: [1] } },
    { stop: ['a', 'b'] },
    { metadata: 'x' },
  ])('but not what may be so: %j', async (more) => {
    expect((await ask(gateway, chat('p/m', more))).status).toBe(200)
  })

  it.each(['__proto__', 'constructor', 'hasOwnProperty', 'toString', 'prototype'])(
    'nor what is called like a trap: %s',
    async (name) => {
      const body = `{"model":"p/m","messages":[{"role":"user","content":"hi","${name}":{"stream":true}}],"${name}":{"model":"x","stream":5}}`
      expect((await ask(gateway, body)).status).toBe(200)
      expect(upstream.seen.at(-1)?.body).toBe(body.replace('"p/m"', '"m"'))
    },
  )
})

describe('A body of another kind is refused where a key is asked for', () => {
  const authorization = 'Bearer sk-of-the-test'
  let keyed: RunningGateway

  beforeAll(async () => {
    const providers = { p: { type: 'openai-compatible', baseURL: upstream.url } }
    keyed = await startGateway({ providers }, { services: noLists, env: { SAMEWIRE_KEY: 'sk-of-the-test' } })
  })
  afterAll(() => keyed.close())

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonp',
    'json',
    'x'.repeat(5_000),
  ])('%.50s', async (type) => {
    const error = await refusal(JSON.stringify(chat('p/m')), { 'content-type': type, authorization }, keyed)
    expect(error).toMatchObject({ status: 415, code: 'unsupported_content_type' })
  })

  it.each(['compress', 'gzip, gzip, gzip'])('compressed: %s', async (encoding) => {
    const error = await refusal('x', { 'content-encoding': encoding, authorization }, keyed)
    expect(error).toMatchObject({ status: 415, code: 'unsupported_content_encoding' })
  })

  it('but not one without a type', async () => {
    const body = new TextEncoder().encode(JSON.stringify(chat('p/m')))
    const response = await fetch(`${keyed.baseURL}/chat/completions`, {
      method: 'POST',
      body,
      headers: { authorization },
    })
    expect([response.status, await response.json()]).toEqual([200, chatAnswer('x')])
  })

  it.each(['application/json', 'application/json; charset=utf-8', 'APPLICATION/JSON', 'application/vnd.api+json'])(
    'but not JSON by any of its names: %j',
    async (type) => {
      expect((await ask(keyed, chat('p/m'), { headers: { 'content-type': type, authorization } })).status).toBe(200)
    },
  )
})

describe('A model by a hostile name', () => {
  it.each(['p/a\r\nx-evil: 1', 'p/日本', 'p/\u0000', 'p/\ud800', 'p/../../admin', 'p/%0d%0a', `p/${'é'.repeat(500)}`])(
    'goes on as it is and harms no header: %j',
    async (model) => {
      const reply = await ask(gateway, chat(model))
      expect(reply.status).toBe(200)
      expect(reply.headers.get('x-evil')).toBeNull()
      expect(reply.headers.get('x-samewire-model')).toMatch(/^p\/[\x20-\x7e]*$/)
      expect(upstream.seen.at(-1)?.path).toBe('/chat/completions')
      expect(JSON.parse(upstream.seen.at(-1)?.body ?? '')).toEqual(chat(model.slice(2)))
    },
  )

  it.each(['a\r\nx-evil: 1', '\u0000', '\ud800', '<script>', '`', '../x'])(
    'is missing like any other: %j',
    async (model) => {
      const reply = await ask(gateway, chat(model))
      expect([reply.status, errorOf(reply).code]).toEqual([404, 'model_not_found'])
      expect(reply.headers.get('x-evil')).toBeNull()
    },
  )
})
