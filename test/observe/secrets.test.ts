import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Config } from '../../src/config/schema.ts'
import { shownName } from '../../src/observe/keys.ts'
import { until } from '../support/ask.ts'
import { runtimes } from '../support/both.ts'
import { fakeCollector } from '../support/collector.ts'
import { duringTests } from '../support/during-tests.ts'
import { serveUpstreams } from '../support/gateway.ts'
import { startLive } from '../support/live.ts'
import { configFile, launch } from '../support/program.ts'
import { chatAnswer, chatFrames, json, type Script, stream } from '../support/upstream.ts'
import { serveWorker } from '../support/worker.ts'

/** Of whoever runs the gateway: in its environment and its configuration. */
const own = {
  SAMEWIRE_KEY: 'key-of-the-clients-0123456789',
  SAMEWIRE_ADMIN_KEY: 'key-of-the-admin-0123456789',
  PROVIDER_KEY: 'key-of-the-provider-0123456789',
  GOOGLE_KEY: 'key-of-google-0123456789',
  LAB_HEADER: 'header-of-the-lab-0123456789',
  writtenHeader: 'written-header-0123456789',
  collectorHeader: 'header-of-the-collector-0123',
}

/** What an address may not have. */
const inAddress = {
  user: 'user-in-the-address-0123456',
  password: 'password-in-the-address-0123',
  query: 'query-in-the-address-0123456',
}

/** Keys that clients put where a key belongs, or where it does not. */
const keys = {
  bearer: 'sk-proj-bearer-0123456789abcdef',
  apiKey: 'sk-ant-api03-0123456789abcdef',
  googKey: 'AIzaSyClient0123456789abcdefghijklm',
  query: 'sk-in-the-query-0123456789abcdef',
  prompt: 'sk-in-the-prompt-0123456789abcdef',
  token: 'abc.def.ghi',
  pem: 'MIIEvQIBADANBgkqhkiG9w0BAQEFAASC',
  password: 'in-an-address',
  tool: 'ghp_InAToolsArguments0123456789',
  metadata: 'sk-in-the-metadata-0123456789',
  user: 'sk-in-the-user-0123456789abcdef',
  model: 'sk-as-the-model-0123456789abcdef',
  deployment: 'sk-as-the-deployment-0123456789',
  stop: 'sk-as-a-stop-0123456789abcdef',
  path: 'sk-in-the-path-0123456789abcdef',
  state: 'sk-in-tracestate-0123456789abcdef',
  baggage: 'sk-in-baggage-0123456789abcdef',
  requestId: 'sk-as-the-request-id-0123456789',
  answer: 'sk-in-the-answer-0123456789abcdef',
} as const

/** What was said, by either side. */
const said = { question: 'whatever-was-asked', answer: 'whatever-was-answered' }

/** Refuses, and repeats all it got. */
const echo: Script = ({ headers, path, body }, response) =>
  json(401, { error: { message: `Incorrect API key: ${JSON.stringify(headers)} ${path} ${body}` } })(
    { headers, path, body } as never,
    response,
    response.socket as never,
  )

const { up, basic } = serveUpstreams({ up: json(200, {}), basic: echo })
const collector = duringTests(fakeCollector)

function configFor(content: boolean): Config {
  const type = 'openai-compatible'
  const headers = { 'x-tenant': own.writtenHeader, 'x-lab': 'env:LAB_HEADER' }
  return {
    providers: {
      up: { type, baseURL: up.url, apiKey: 'env:PROVIDER_KEY', headers, trace: true },
      google: { type: 'gemini', baseURL: basic.url, apiKey: 'env:GOOGLE_KEY' },
      claude: { type: 'anthropic', baseURL: basic.url, apiKey: 'env:PROVIDER_KEY' },
      basic: { type, baseURL: basic.url, apiKey: 'env:PROVIDER_KEY', headers },
    },
    models: { m: 'up/m', falls: { deployments: ['basic/m'], fallbacks: ['google/m', 'claude/m'] } },
    keys: ['env:SAMEWIRE_KEY'],
    retries: 0,
    log: { content },
  }
}

const env = {
  ...Object.fromEntries(Object.entries(own).filter(([name]) => /^[A-Z_]+$/.test(name))),
  LOG_LEVEL: 'debug',
  SAMEWIRE_METRICS: 'true',
  OTEL_BSP_SCHEDULE_DELAY: '10',
  OTEL_METRIC_EXPORT_INTERVAL: '100',
}

interface Served {
  readonly url: string
  printed(): string
  close(): Promise<void>
}

async function serve(runtime: (typeof runtimes)[number], content: boolean, format: string): Promise<Served> {
  const more = {
    ...{ ...env, LOG_FORMAT: format, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url },
    OTEL_EXPORTER_OTLP_HEADERS: `x-api-key=${own.collectorHeader}`,
  }
  const config = configFor(content)
  if (runtime === 'node') {
    const file = await configFile(config)
    const program = launch(['--config', file.path], more)
    const [, url = ''] = await program.until(/listens on (http:\/\/[\d.:]+)\/v1/)
    return {
      ...{ url, printed: program.printed },
      async close() {
        program.signal('SIGTERM')
        await program.ended
        await file.remove()
      },
    }
  }
  const worker = await serveWorker('observe-secrets', { ...more, SAMEWIRE_CONFIG: JSON.stringify(config) })
  let printed = ''
  for (const output of worker.output) {
    output.setEncoding('utf8').on('data', (text: string) => {
      printed += text
    })
  }
  const url = `http://127.0.0.1:${worker.port}`
  return { url, printed: () => printed, close: () => worker.stop() }
}

const authorization = `Bearer ${own.SAMEWIRE_KEY}`
const good = { authorization }

function bodyOf(more: object = {}) {
  const call = { id: 'call_1', type: 'function', function: { name: 'push', arguments: `{"token":"${keys.tool}"}` } }
  return {
    model: 'm',
    messages: [
      { role: 'user', content: `${said.question} ${keys.prompt} ${own.PROVIDER_KEY} ${own.SAMEWIRE_ADMIN_KEY}` },
      { role: 'user', content: `Bearer ${keys.token} postgres://me:${keys.password}@db/x and so on` },
      { role: 'user', content: `-----BEGIN PRIVATE KEY-----\n${keys.pem}\n-----END PRIVATE KEY-----\nread it` },
      { role: 'assistant', content: null, tool_calls: [call] },
      { role: 'tool', tool_call_id: 'call_1', content: 'done' },
    ],
    user: keys.user,
    metadata: { token: keys.metadata },
    stop: [keys.stop],
    ...more,
  }
}

/** Sends secrets in every place that a client has. Resolves with all answers, headers included. */
async function ask(url: string): Promise<string> {
  const answers: string[] = []
  const send = async (path: string, headers: Record<string, string>, body?: object) => {
    const response = await fetch(url + path, {
      method: body ? 'POST' : 'GET',
      headers: { 'content-type': 'application/json', ...headers },
      ...(body && { body: JSON.stringify(body) }),
    })
    answers.push(JSON.stringify([...response.headers]), await response.text())
  }
  const chat = '/v1/chat/completions'
  const traced = {
    ...{ traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', tracestate: `vendor=${keys.state}` },
    ...{ baggage: `key=${keys.baggage}`, 'x-request-id': keys.requestId, 'x-client-request-id': keys.requestId },
  }
  up.script(json(200, chatAnswer(`${said.answer} ${keys.answer}`)))
  await send(chat, { ...good, ...traced }, bodyOf())
  up.script(stream(chatFrames(said.answer, ` ${keys.answer}`)))
  await send(chat, good, bodyOf({ stream: true }))
  up.script(stream(chatFrames(said.answer, keys.answer).slice(0, 2), 'reset'))
  await send(chat, good, bodyOf({ stream: true }))
  up.script(echo)
  await send(chat, good, bodyOf())
  await send(chat, good, bodyOf({ model: 'falls' }))
  await send(chat, good, bodyOf({ model: keys.model }))
  await send(chat, good, bodyOf({ model: `up/${own.SAMEWIRE_KEY}`, user: own.SAMEWIRE_KEY }))
  await send(chat, good, bodyOf({ model: `up/${keys.deployment}` }))
  for (const headers of [
    { authorization: `Bearer ${keys.bearer}` },
    { 'x-api-key': keys.apiKey },
    { 'api-key': keys.apiKey },
    { 'x-goog-api-key': keys.googKey },
  ]) {
    await send(`${chat}?key=${keys.query}`, headers, bodyOf())
    await send('/v1/messages', headers, bodyOf({ max_tokens: 5 }))
  }
  await send(`/v1beta/models/m:generateContent?key=${keys.query}`, {}, { contents: [] })
  await send(`/v1beta/models/${keys.model}:generateContent?key=${own.SAMEWIRE_KEY}`, {}, { contents: [] })
  await send(`/v1/files/${keys.path}?key=${keys.query}`, good)
  await send(`/v1/models/${keys.path}`, good)
  await send(`/metrics?key=${keys.query}`, { authorization: `Bearer ${keys.bearer}` })
  return answers.join('\n')
}

/** Which of the secrets are in a text. */
function leaked(text: string, secrets: Readonly<Record<string, string>>): string[] {
  return Object.entries(secrets).flatMap(([name, secret]) => (text.includes(secret) ? [name] : []))
}

describe.each(runtimes)('On %s', (runtime) => {
  it.each([
    ['of JSON, without what was said', 'json', false],
    ['of text, without what was said', 'text', false],
    ['of JSON, with what was said', 'json', true],
    ['of text, with what was said', 'text', true],
  ])('nothing that comes out has a secret in it, in a log %s', async (_what, format, content) => {
    collector.clear()
    const served = await serve(runtime, content, format)
    const answers = await ask(served.url)
    const metrics = await fetch(`${served.url}/metrics`, {
      headers: { authorization: `Bearer ${own.SAMEWIRE_ADMIN_KEY}` },
    }).then((response) => response.text())
    await until(() => collector.exports.some(({ text }) => text.includes('/v1/models/')))
    await served.close()
    const exported = collector.exports.map(({ path, text }) => `${path}\n${text}`).join('\n')
    const log = served.printed()
    for (const text of [log, exported]) expect(text).toContain('claude/m')
    if (runtime === 'node') {
      expect(metrics).toContain('claude/m')
      expect(exported).toContain('resourceMetrics')
    }
    const unsaid = { ...own, ...keys, ...said }
    expect({
      log: leaked(log, content ? { ...own, ...keys } : unsaid),
      metrics: leaked(metrics, unsaid),
      exported: leaked(exported, unsaid),
      answers: leaked(answers, own),
    }).toEqual({ log: [], metrics: [], exported: [], answers: [] })
    if (content) for (const rest of ['postgres://me:***@db/x and so on', 'read it']) expect(log).toContain(rest)
    expect(log.includes(said.question) && log.includes(said.answer)).toBe(content)
  })
})

describe('Keys that the gateway has made', () => {
  it('are in nothing that comes out but the answer that tells them, and in no file', async () => {
    collector.clear()
    const folder = await mkdtemp(join(tmpdir(), 'samewire-'))
    const more = { SAMEWIRE_STATE: `file:${join(folder, 'state.db')}`, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url }
    const live = await startLive({ ...configFor(true), metrics: true }, { env: { ...env, ...more } })
    const answers: string[] = []
    const send = async (path: string, init: RequestInit & { readonly key?: string } = {}) => {
      const authorization = `Bearer ${init.key ?? own.SAMEWIRE_ADMIN_KEY}`
      const headers = { 'content-type': 'application/json', authorization }
      const { text, headers: got } = await live.request(path, { headers, ...init })
      answers.push(text, JSON.stringify([...got]))
      return text
    }
    const post = (path: string, body: unknown, key?: string) =>
      send(path, { method: 'POST', body: JSON.stringify(body), ...(key !== undefined && { key }) })
    const secretOf = (answer: string) => {
      // It is to be in this one.
      answers.splice(-2)
      return JSON.parse(answer) as { readonly key: string; readonly data: { readonly id: string } }
    }
    const made = secretOf(await post('/v1/keys', { name: 'Ada', limit: 1, metadata: { team: 'a' } }))
    const rotated = secretOf(await post(`/v1/keys/${made.data.id}/rotate`, { grace: '1h' }))
    const secrets = { made: made.key, rotated: rotated.key, admin: own.SAMEWIRE_ADMIN_KEY }
    for (const key of [made.key, rotated.key]) {
      up.script(json(200, chatAnswer(`you said ${key}`)))
      await post('/v1/chat/completions', bodyOf({ user: key, metadata: { key }, stop: [key] }), key)
      await post('/v1/chat/completions', bodyOf({ model: key }), key)
      up.script(echo)
      await post(`/v1/chat/completions?key=${key}`, bodyOf(), key)
      for (const path of [`/v1/keys/${key}`, `/v1/models/${key}`, `/v1/files/${key}`, `/v1/generation?id=${key}`])
        await send(path, { key })
      for (const path of [`/v1/keys/${key}`, `/v1/keys?limit=${key}`, `/v1/keys?${key}=1`]) await send(path)
      await send('/v1/key', { key })
      await send('/v1/keys', { key })
      await post('/v1/keys', { name: `of ${key}`, [key]: 1 })
    }
    const metrics = await send('/metrics')
    await until(() => collector.exports.some(({ text }) => text.includes('samewire.budget_remaining_usd')))
    const files = async () => {
      const names = await readdir(folder)
      return await Promise.all(names.map(async (name) => `${name}\n${await readFile(join(folder, name), 'latin1')}`))
    }
    const running = await files()
    await live.close()
    const stored = [...running, ...(await files())].join('\n')
    await rm(folder, { recursive: true })
    expect(running.map((text) => text.split('\n')[0])).toContain('state.db-wal')
    expect(stored).toContain('Ada')
    expect(metrics).toContain('samewire_budget_remaining_usd{key="Ada"}')
    const exported = collector.exports.map(({ path, text }) => `${path}\n${text}`).join('\n')
    const said = answers.filter((text) => !text.includes('you said'))
    const places = { answers: said.join('\n'), log: live.program.printed(), metrics, exported, stored }
    for (const [place, text] of Object.entries(places)) expect([place, leaked(text, secrets)]).toEqual([place, []])
  })
})

describe('A gateway with secrets in addresses', () => {
  it('says what is wrong with them without the secrets', async () => {
    const address = new URL(basic.url)
    address.username = inAddress.user
    address.password = inAddress.password
    address.search = `?token=${inAddress.query}`
    const provider = { type: 'openai-compatible', baseURL: `${address}` } as const
    const error = await startLive({ providers: { provider } }, { env }).catch((thrown: Error) => thrown)
    if (!(error instanceof Error)) throw new Error('it has started')
    expect(error.message).toContain('without user, query or fragment')
    expect(leaked(error.message, inAddress)).toEqual([])
    const more = { OTEL_EXPORTER_OTLP_ENDPOINT: `${address}` }
    const live = await startLive(configFor(false), { env: { ...env, ...more } })
    await live.program.until(/OTEL_EXPORTER_OTLP_ENDPOINT: /)
    await live.close()
    expect(leaked(live.program.printed(), inAddress)).toEqual([])
  })
})

describe('A name', () => {
  it.each([
    'sk-0123456789abcdefghij',
    'up/sk-proj-Abc_0123-456789',
    'hf_AbCdEfGhIjKlMnOpQrStUvWxYz01234567',
    `${'x'.repeat(190)} sk-0123456789abcdefghij`,
  ])('that has a key in it is shown without: %s', (name) => {
    expect(shownName(name)).toMatch(/\*\*\*|…$/)
    expect(shownName(name)).not.toMatch(/sk-|hf_/)
  })

  it.each(['xai-grok-2-vision-1212', 'huggingface/hf-internal-testing/tiny-random-llama', 'gpt-5-mini', 'o3', ''])(
    'of a model is shown as it is: %s',
    (name) => expect(shownName(name)).toBe(name),
  )
})
