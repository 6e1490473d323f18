import { Hono } from 'hono'
import { beforeEach, describe, expect, it } from 'vitest'
import { ConfigError, createGateway, defineConfig } from '../../src/library/index.ts'
import { chat, wordsOf } from '../support/ask.ts'
import { duringTests } from '../support/during-tests.ts'
import { chatAnswer, chatFrames, fakeUpstream, json, stream } from '../support/upstream.ts'

const upstream = duringTests(() => fakeUpstream())
const logged: string[] = []
const log = (line: string) => logged.push(line)
beforeEach(() => {
  logged.length = 0
})

const post = (body: unknown, headers: Record<string, string> = {}) =>
  new Request('http://localhost/v1/chat/completions', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })

/** With one provider, whose address is the upstream's. */
function configured() {
  return defineConfig({
    providers: { lab: { type: 'openai-compatible', baseURL: upstream.url, apiKey: 'env:LAB_KEY' } },
    models: { small: 'lab/small' },
    retries: 0,
  })
}

const env = { LAB_KEY: 'sk-lab-0123', SAMEWIRE_KEY: 'sk-own-4567' }
const own = { authorization: `Bearer ${env.SAMEWIRE_KEY}` }

describe('a gateway in a program of one’s own', () => {
  it('answers a chat, with the keys of the environment that it was given', async () => {
    upstream.script(json(200, chatAnswer('Hello')))
    const { fetch } = createGateway(configured(), { env, log })
    const response = await fetch(post(chat('small'), own))
    expect([response.status, await response.json()]).toMatchObject([
      200,
      { choices: [{ message: { content: 'Hello' } }] },
    ])
    expect(response.headers.get('x-samewire-model')).toBe('lab/small')
    expect(upstream.seen.at(-1)?.headers.authorization).toBe('Bearer sk-lab-0123')
    expect(logged).toEqual([expect.stringMatching(/ info {2}req_\w+ POST \/chat\/completions 200 /)])
  })

  it('streams a chat', async () => {
    upstream.script(stream(chatFrames('Hel', 'lo')))
    const { fetch } = createGateway(configured(), { env, log })
    const response = await fetch(post(chat('small', { stream: true }), own))
    expect(response.headers.get('content-type')).toContain('text/event-stream')
    const text = await response.text()
    expect(wordsOf(text)).toBe('Hello')
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true)
  })

  it('ends the upstream’s stream when the client has read enough', async () => {
    upstream.script(stream(chatFrames('Hel').slice(0, 2), 'silence'))
    const { fetch } = createGateway(configured(), { env, log })
    const response = await fetch(post(chat('small', { stream: true }), own))
    const reader = response.body?.getReader()
    await reader?.read()
    await reader?.cancel()
    await upstream.seen.at(-1)?.abandoned
  })

  it('words the provider’s failure as everywhere', async () => {
    upstream.script(json(429, { error: { message: 'Slow down.', type: 'requests', code: 'rate_limit_exceeded' } }))
    const { fetch } = createGateway(configured(), { env, log })
    const response = await fetch(post(chat('small'), own))
    expect([response.status, await response.json()]).toMatchObject([429, { error: { code: 'rate_limit_exceeded' } }])
  })

  it('has the embedded model when nothing is configured', async () => {
    const { fetch } = createGateway({}, { access: 'open', log })
    const response = await fetch(post(chat('demo/tiny-chat', { temperature: 0 })))
    expect(await response.json()).toMatchObject({ choices: [{ message: { content: 'Hello! How can I help you?' } }] })
  })

  it('lets nobody in without a key, and says what to do about it', async () => {
    const { fetch } = createGateway({}, { log })
    const response = await fetch(post(chat('demo/tiny-chat')))
    expect([response.status, await response.json()]).toMatchObject([
      401,
      { error: { message: expect.stringContaining('SAMEWIRE_KEY') } },
    ])
  })

  it('still refuses a web page of elsewhere when it needs no key', async () => {
    const { fetch } = createGateway({}, { access: 'open', log })
    const response = await fetch(post(chat('demo/tiny-chat'), { host: 'evil.example' }))
    expect(response.status).toBe(403)
    expect(await response.text()).toContain('allowedHosts')
  })

  it('throws all that is wrong with a configuration', () => {
    const wrong = { providers: { lab: { type: 'openia' } }, retries: -1 }
    expect(() => createGateway(wrong, { log })).toThrow(ConfigError)
    expect(() => createGateway(wrong, { log })).toThrow(
      /providers\.lab\.type[\s\S]*retries|retries[\s\S]*providers\.lab/,
    )
  })

  it('asks providers by the `fetch` that it was given', async () => {
    const asked: string[] = []
    const send = async (input: RequestInfo | URL) => {
      asked.push(String(input))
      return Response.json(chatAnswer('by the other'))
    }
    const { fetch } = createGateway(configured(), { env, log, fetch: send })
    expect(await (await fetch(post(chat('small'), own))).text()).toContain('by the other')
    expect(asked).toEqual([`${upstream.url}/chat/completions`])
  })

  it.each(['/', '/llm'])('is a part of a Hono app, mounted at %s', async (path) => {
    const app = new Hono()
    app.get('/own', (context) => context.text('own'))
    app.mount(path, createGateway({}, { access: 'open', log }).fetch)
    expect(await (await app.request('/own')).text()).toBe('own')
    const prefix = path === '/' ? '' : path
    const models = await app.request(`http://localhost${prefix}/v1/models`)
    expect(await models.json()).toMatchObject({ data: [{ id: 'demo/tiny-chat' }] })
  })

  it('sends what waits of its telemetry when it is closed', async () => {
    upstream.script(json(200, chatAnswer('Hello')), json(200, {}))
    const before = upstream.seen.length
    const telemetry = { OTEL_EXPORTER_OTLP_ENDPOINT: `${upstream.url}/otlp` }
    const gateway = createGateway(configured(), { env: { ...env, ...telemetry }, log })
    expect((await gateway.fetch(post(chat('small'), own))).status).toBe(200)
    await gateway.close()
    expect(upstream.seen.slice(before).map(({ path }) => path)).toEqual(['/chat/completions', '/otlp/v1/traces'])
  })

  it('sends copies to a shadow without the context of a Worker', async () => {
    const config = configured()
    const models = {
      small: { deployments: ['lab/small'], shadow: { model: 'other', percent: 100 } },
      other: 'lab/other',
    }
    upstream.script(json(200, chatAnswer('Hello')))
    const before = upstream.seen.length
    const { fetch } = createGateway({ ...config, models }, { env, log })
    await (await fetch(post(chat('small'), own))).text()
    await expect.poll(() => upstream.seen.length).toBe(before + 2)
    expect(JSON.parse(upstream.seen.at(-1)?.body ?? '')).toMatchObject({ model: 'other' })
  })
})
