import { env, exports } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import type { Config } from '../../src/config/schema.ts'
import { framesOf, readAnswer, readStream, type WireError } from '../contract/read.ts'
import { type Delivery, exchangePath } from '../support/exchange.ts'
import { edgeGateway } from './edge-gateway.ts'

const hello = 'Hello! How can I help you?'
const chat = { model: 'demo/tiny-chat', messages: [{ role: 'user', content: 'hi' }], temperature: 0 }
const wrongJSON = '{"model": "demo/tiny-chat", "messages": ['

/** The Worker as it is deployed, with its own configuration. */
function worker(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${env.SAMEWIRE_KEY}` }
  return exports.default.fetch(`https://samewire.test${path}`, { headers, ...init })
}

const post = (body: unknown) => ({ method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) })

/** A gateway in front of a recorded llama-server that delivers a stream in its own way. */
function streaming(delivery: Delivery, more: Config = {}) {
  const address = `${env.UPSTREAM}${exchangePath({ answer: ['llama-server-0.7.0', 'chat_stream'], delivery })}`
  const config: Config = { providers: { up: { type: 'llamacpp', baseURL: `${address}/v1` } }, retries: 0, ...more }
  const body = JSON.stringify({ ...chat, model: 'up/tiny-chat', stream: true })
  const { send } = edgeGateway(config)
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body }
  return (more: RequestInit = {}) => send('/v1/chat/completions', { ...init, ...more })
}

/** Comes back once the upstream's last request of that tag was abandoned. */
const abandoned = (tag: string) => fetch(`${env.UPSTREAM}/seen/${tag}/abandoned`)

/** Comes back once the upstream has seen a request of that tag. */
async function asked(tag: string): Promise<void> {
  const seen = (await (await fetch(`${env.UPSTREAM}/seen/${tag}`)).json()) as unknown[]
  if (seen.length === 0) await asked(tag)
}

async function errorOf(response: Response): Promise<WireError> {
  expect(response.headers.get('content-type')).toMatch(/^application\/json/)
  expect(response.headers.get('access-control-allow-origin')).toBe('*')
  const { error } = (await response.json()) as { error: WireError }
  expect(Object.keys(error).sort()).toEqual(['code', 'message', 'param', 'type'])
  return error
}

describe('the Worker', () => {
  it('answers a chat with the model that it carries', async () => {
    const response = await worker('/v1/chat/completions', post(chat))
    expect(response.status).toBe(200)
    expect(response.headers.get('x-samewire-model')).toBe('demo/tiny-chat')
    expect(response.headers.get('x-samewire-notice')).toMatch(/demonstration model/)
    expect(readAnswer(await response.text())).toMatchObject([{ content: hello, finish: 'stop' }])
  })

  it('streams a chat', async () => {
    const response = await worker('/v1/chat/completions', post({ ...chat, stream: true }))
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    expect(response.headers.get('cache-control')).toMatch(/no-cache/)
    const text = await response.text()
    expect(framesOf(text).at(-1)).toBe('[DONE]')
    expect(readStream(text)).toMatchObject([{ content: hello, finish: 'stop' }])
  })

  it('lists its model', async () => {
    const { data } = (await (await worker('/v1/models')).json()) as { data: { id: string }[] }
    expect(data.map(({ id }) => id)).toEqual(['demo/tiny-chat'])
  })

  it.each([
    ['no key', {}, null],
    ['a wrong key', { authorization: 'Bearer sk-not-the-right-one-at-all' }, 'invalid_api_key'],
  ])('lets nobody in with %s', async (_, headers, code) => {
    const given = { 'content-type': 'application/json', ...headers }
    const response = await worker('/v1/chat/completions', { ...post(chat), headers: given })
    expect(response.status).toBe(401)
    const error = await errorOf(response)
    expect(error.code).toBe(code)
    expect(error.message).not.toContain('sk-not-the-right-one-at-all')
  })

  it.each([
    ['what is no JSON', '/v1/chat/completions', post(wrongJSON), 400],
    ['a chat without messages', '/v1/chat/completions', post({ model: 'x' }), 400],
    ['an unknown route', '/v1/nope', post(chat), 404],
    ['a wrong method', '/v1/chat/completions', { method: 'GET' }, 405],
  ])('tells of %s in the envelope', async (_, path, init, status) => {
    const response = await worker(path, init)
    expect(response.status).toBe(status)
    expect((await errorOf(response)).type).toBe('invalid_request_error')
  })

  it("answers a browser's preflight without a key", async () => {
    const response = await worker('/v1/chat/completions', {
      method: 'OPTIONS',
      headers: {
        origin: 'https://app.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,x-stainless-os',
      },
    })
    expect(response.status).toBe(204)
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
    expect(response.headers.get('access-control-allow-headers')).toBe('authorization,x-stainless-os')
    expect(response.headers.get('access-control-allow-methods')).toContain('POST')
    expect(response.headers.get('access-control-max-age')).toMatch(/^\d+$/)
  })

  it('without any key says how to set one', async () => {
    const remedy = 'This gateway has no key yet: npx wrangler secret put SAMEWIRE_KEY'
    const { send } = edgeGateway({}, {}, { mode: 'closed', remedy })
    const headers = { 'content-type': 'application/json', authorization: 'Bearer sk-any' }
    const response = await send('/v1/chat/completions', { ...post(chat), headers })
    expect(response.status).toBe(401)
    expect((await errorOf(response)).message).toContain('npx wrangler secret put SAMEWIRE_KEY')
  })
})

describe('a stream through the Worker', () => {
  it('reaches the client while the upstream is still at it, and stops the upstream when the client leaves', async () => {
    // It is noticed when something is written, and nobody writes while the runtime carries a stream that is silent.
    const more: Config = { streams: 'checked', keepAlive: 0.2 }
    const response = await streaming({ tag: 'leaves', after: { bytes: 1200, what: 'wait' } }, more)()
    const reader = response.body?.getReader()
    const first = await reader?.read()
    expect(new TextDecoder().decode(first?.value)).toContain('"content":"H"')
    await reader?.cancel('the client left')
    expect((await abandoned('leaves')).status).toBe(200)
  })

  it.each(['checked', 'observed', 'untouched'] as const)('that is %s reaches the client as it is', async (streams) => {
    const whole = await streaming({}, { streams: 'checked' })()
    expect(await (await streaming({ cut: 7 }, { streams })()).text()).toBe(await whole.text())
  })

  it('stops the upstream when the client leaves before the first word', async () => {
    const leave = new AbortController()
    const pending = streaming({ tag: 'early', after: { bytes: 0, what: 'wait' } })({ signal: leave.signal })
    await asked('early')
    leave.abort()
    expect((await (await pending).json()) as object).toMatchObject({ error: { code: 'client_closed_request' } })
    expect((await abandoned('early')).status).toBe(200)
  })
})

describe('a whole answer through the Worker', () => {
  it('that stops half way is given up when the client leaves', async () => {
    const answer = {
      status: 200,
      headers: { 'content-type': 'application/json', 'content-length': '1000' },
      body: '{"choices":[',
    }
    const delivery: Delivery = { tag: 'half', after: { bytes: 12, what: 'wait' } }
    const baseURL = `${env.UPSTREAM}${exchangePath({ answer, delivery })}/v1`
    const { send } = edgeGateway({ providers: { up: { type: 'openai-compatible', baseURL } }, retries: 0 })
    const leave = new AbortController()
    const headers = { 'content-type': 'application/json' }
    const body = JSON.stringify({ ...chat, model: 'up/m' })
    const pending = send('/v1/chat/completions', { method: 'POST', headers, body, signal: leave.signal })
    await asked('half')
    leave.abort()
    expect((await (await pending).json()) as object).toMatchObject({ error: { code: 'client_closed_request' } })
    expect((await abandoned('half')).status).toBe(200)
  })
})
