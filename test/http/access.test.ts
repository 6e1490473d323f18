import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createGuard } from '../../src/http/access.ts'
import { ask, chat, errorOf, noLists, type Reply } from '../support/ask.ts'
import { type RunningGateway, startGateway } from '../support/gateway.ts'
import { chatAnswer, type FakeUpstream, fakeUpstream, json } from '../support/upstream.ts'

const key = 'sk-gateway-0123456789'
const second = 'sk-second-0123456789'

let upstream: FakeUpstream
let gateway: RunningGateway
let closed: RunningGateway
let open: RunningGateway

beforeAll(async () => {
  const completion = {
    id: 'cmpl-x',
    object: 'text_completion',
    choices: [{ index: 0, text: 'x', finish_reason: 'stop' }],
  }
  upstream = await fakeUpstream((seen, response, socket) =>
    json(200, seen.path.startsWith('/chat') ? chatAnswer('x') : completion)(seen, response, socket),
  )
  const providers = {
    p: { type: 'openai-compatible', baseURL: upstream.url },
    own: { type: 'openai', baseURL: upstream.url, apiKey: 'client' },
    keyed: { type: 'openai', baseURL: upstream.url, apiKey: 'env:PROVIDER_KEY' },
  }
  const env = { SAMEWIRE_KEY: key, SECOND: second, PROVIDER_KEY: 'sk-provider' }
  gateway = await startGateway({ providers, keys: ['env:SECOND'] }, { env, services: noLists })
  const access = { mode: 'closed', remedy: 'Set a key with: npx something' } as const
  closed = await startGateway({ providers }, { access, services: noLists, env: { PROVIDER_KEY: 'sk-provider' } })
  open = await startGateway({ providers }, { services: noLists, env: { PROVIDER_KEY: 'sk-provider' } })
})

afterAll(async () => {
  await Promise.all([gateway.close(), closed.close(), open.close()])
  await upstream.close()
})

const guarded: readonly [string, string][] = [
  ['POST', '/chat/completions'],
  ['POST', '/completions'],
  ['POST', '/engines/p/m/completions'],
  ['POST', '/engines/p/m/chat/completions'],
  ['GET', '/models'],
  ['GET', '/models/p/m'],
  ['GET', '/engines'],
  ['GET', '/engines/p/m'],
]

async function send(to: RunningGateway, method: string, path: string, headers: Record<string, string>) {
  const body = method === 'POST' ? JSON.stringify({ ...chat('p/m'), prompt: 'x' }) : null
  const response = await fetch(to.baseURL + path, {
    method,
    body,
    headers: { 'content-type': 'application/json', ...headers },
  })
  return { status: response.status, headers: response.headers, text: await response.text() }
}

describe('A gateway with keys lets in', () => {
  it.each([
    ['authorization', `Bearer ${key}`],
    ['authorization', `bearer   ${key} `],
    ['authorization', `Bearer ${second}`],
    ['api-key', key],
    ['x-api-key', second],
  ])('who brings one: %s: %s', async (header, value) => {
    for (const [method, path] of guarded)
      expect((await send(gateway, method, path, { [header]: value })).status).toBe(200)
  })

  it('who brings one beside an own key for a provider', async () => {
    upstream.seen.length = 0
    const headers = { 'x-api-key': key, authorization: 'Bearer sk-mine' }
    expect((await ask(gateway, chat('own/m'), { headers })).status).toBe(200)
    expect(upstream.seen[0]?.headers.authorization).toBe('Bearer sk-mine')
    expect(upstream.seen[0]?.headers).not.toHaveProperty('x-api-key')
  })
})

describe('A gateway with keys keeps out', () => {
  it.each(guarded)('who brings none: %s %s', async (method, path) => {
    for (const headers of [{}, { authorization: '' }, { authorization: 'Basic eDp5' }, { authorization: 'Bearer' }]) {
      const reply = await send(gateway, method, path, headers as Record<string, string>)
      expect(reply.status).toBe(401)
      expect(errorOf(reply)).toMatchObject({
        type: 'invalid_request_error',
        code: null,
        message: expect.stringMatching(
          /^You didn't provide an API key\. You need to provide your API key in an Authorization header/,
        ),
      })
    }
  })

  it.each(guarded)('who brings a wrong one: %s %s', async (method, path) => {
    const wrong = 'sk-abcdefghijklmnopqrstuvwxyz'
    for (const headers of [{ authorization: `Bearer ${wrong}` }, { 'api-key': wrong }, { 'x-api-key': wrong }]) {
      const reply = await send(gateway, method, path, headers as Record<string, string>)
      expect(reply.status).toBe(401)
      const error = errorOf(reply)
      expect(error.code).toBe('invalid_api_key')
      expect(error.message).toMatch(/^Incorrect API key provided: sk-ab\*\*\*yz\. /)
      expect(reply.text).not.toContain(wrong)
    }
  })

  it.each([key.slice(0, -1), `${key}x`, key.toUpperCase(), `${key}${key}`, '', ' ', 'x'])(
    'who comes near: %j',
    async (wrong) => {
      expect((await ask(gateway, chat('p/m'), { headers: { authorization: `Bearer ${wrong}` } })).status).toBe(401)
    },
  )

  it('before anything else of a request is looked at', async () => {
    const headers = { 'content-type': 'text/plain' }
    expect((await ask(gateway, '{', { headers })).status).toBe(401)
  })

  it('and shows nothing of a short key', async () => {
    const reply = await ask(gateway, chat('p/m'), { headers: { authorization: 'Bearer hunter22' } })
    expect(reply.text).not.toContain('hunt')
  })
})

describe('A gateway that is closed', () => {
  it.each(guarded)('lets nobody in and says how to open it: %s %s', async (method, path) => {
    const reply = await send(closed, method, path, { authorization: `Bearer ${key}` })
    expect([reply.status, errorOf(reply).message]).toEqual([401, 'Set a key with: npx something'])
  })

  it.each(['/health', '/'])('is well nevertheless: %s', async (path) => {
    expect((await fetch(`http://127.0.0.1:${closed.port}${path}`)).status).toBe(200)
  })
})

describe('The key of the gateway', () => {
  it('is no key for a provider that wants the caller’s own', async () => {
    upstream.seen.length = 0
    const reply = await ask(gateway, chat('own/m'), { headers: { authorization: `Bearer ${key}` } })
    expect([reply.status, errorOf(reply).message]).toEqual([
      401,
      'The model is served by own with your own API key, and you sent none.',
    ])
    expect(upstream.seen).toEqual([])
  })
})

describe('An open gateway', () => {
  it('asks nobody, and hands the caller’s bearer to the provider that wants it only', async () => {
    const headers = { authorization: 'Bearer sk-mine' }
    upstream.seen.length = 0
    for (const model of ['p/m', 'own/m', 'keyed/m'])
      expect((await ask(open, chat(model), { headers })).status).toBe(200)
    expect(upstream.seen.map((request) => request.headers.authorization)).toEqual([
      undefined,
      'Bearer sk-mine',
      'Bearer sk-provider',
    ])
  })
})

/** Asks as a browser would, whose headers `fetch` doesn't let a program set. */
function askAs(to: RunningGateway, headers: Record<string, string>, method = 'POST', path = '/chat/completions') {
  return new Promise<Reply>((resolve, reject) => {
    const sent = request(to.baseURL + path, { method, headers }, async (response) => {
      const text = (await response.toArray()).join('')
      const headers = new Headers(response.headers as Record<string, string>)
      resolve({ status: response.statusCode ?? 0, headers, text })
    })
    sent.on('error', reject).end(method === 'POST' ? JSON.stringify(chat('p/m')) : undefined)
  })
}

const typed = { 'content-type': 'application/json' }

describe('An open gateway answers this machine', () => {
  it.each(['localhost', 'LOCALHOST:8787', '127.0.0.1', '127.8.9.1:80', '[::1]', '[::1]:8787', 'app.localhost:3000'])(
    'by any of its names: %s',
    async (host) => {
      expect((await askAs(open, { ...typed, host })).status).toBe(200)
      expect((await askAs(open, { host }, 'GET', '/models')).status).toBe(200)
    },
  )

  it.each(['http://localhost:3000', 'https://localhost', 'http://127.0.0.1:5173', 'http://[::1]:8080'])(
    'and pages that it serves itself: %s',
    async (origin) => expect((await askAs(open, { ...typed, origin })).status).toBe(200),
  )

  it('and those that the configuration lists', async () => {
    const lists = { allowedHosts: ['Samewire.lan', 'exact.lan:99'], allowedOrigins: ['https://app.example', 'app://x'] }
    const providers = { p: { type: 'openai-compatible', baseURL: upstream.url } }
    const listed = await startGateway({ providers, ...lists }, { services: noLists })
    const status = async (headers: object) => (await askAs(listed, { ...typed, ...headers })).status
    for (const host of ['samewire.lan', 'samewire.lan:8787', 'exact.lan:99']) expect(await status({ host })).toBe(200)
    for (const origin of ['https://app.example', 'app://x']) expect(await status({ origin })).toBe(200)
    expect(await status({ host: 'exact.lan:98' })).toBe(403)
    expect(await status({ origin: 'http://app.example' })).toBe(403)
    await listed.close()
  })
})

describe('An open gateway answers no web page', () => {
  const refused = async (headers: Record<string, string>, setting: RegExp) => {
    upstream.seen.length = 0
    for (const [method, path] of guarded) {
      const reply = await askAs(open, { ...typed, ...headers }, method, path)
      expect(reply.status).toBe(403)
      expect(errorOf(reply)).toMatchObject({
        code: 'forbidden',
        type: 'invalid_request_error',
        message: expect.stringMatching(setting),
      })
    }
    expect(upstream.seen).toEqual([])
  }

  it.each([
    'evil.example',
    'evil.example:8787',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    'notlocalhost',
    '0.0.0.0',
  ])('whose name was made to lead here: %s', (host) => refused({ host }, /`allowedHosts`/))

  it.each([
    'https://evil.example',
    'null',
    'http://localhost.evil.example',
    'file://',
    'http://localhost:1@evil.example',
  ])('from another origin: %s', (origin) => refused({ origin }, /`allowedOrigins`/))

  it.each([undefined, 'text/plain', 'application/x-www-form-urlencoded', 'text/plain; application/json'])(
    'that needs no preflight, by its content type: %s',
    async (type) => {
      const reply = await askAs(open, type === undefined ? {} : { 'content-type': type })
      expect([reply.status, errorOf(reply).message]).toEqual([403, expect.stringContaining('SAMEWIRE_KEY')])
    },
  )

  const elsewhere = { 'x-samewire-provider': 'keyed' }

  it.each([
    ['POST', '/files', { 'content-type': 'text/plain' }],
    ['PUT', '/files/x', { 'content-type': 'text/plain', 'content-length': '0' }],
    ['PATCH', '/files/x', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['POST', '/files', { 'content-type': 'multipart/form-data; boundary=b', 'sec-fetch-site': 'cross-site' }],
    ['POST', '/files', { 'content-type': 'application/json', origin: 'https://evil.example' }],
    ['GET', '/files', { 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'image' }],
    ['GET', '/files', { 'sec-fetch-site': 'same-site' }],
    ['GET', '/files', { host: 'evil.example' }],
    ['DELETE', '/files/x', { origin: 'null' }],
  ])('that wants something passed on: %s %s %j', async (method, path, headers) => {
    upstream.seen.length = 0
    const reply = await askAs(open, { ...elsewhere, ...headers } as Record<string, string>, method, path)
    expect([reply.status, errorOf(reply).code]).toEqual([403, 'forbidden'])
    expect(upstream.seen).toEqual([])
  })

  it.each([
    ['GET', '/files', {}],
    ['DELETE', '/files/x', {}],
    ['POST', '/files', { 'content-type': 'multipart/form-data; boundary=b' }],
    ['GET', '/files', { 'sec-fetch-site': 'none' }],
    ['GET', '/files', { 'sec-fetch-site': 'cross-site', origin: 'http://localhost:3000' }],
    [
      'POST',
      '/files',
      {
        'content-type': 'multipart/form-data; boundary=b',
        'sec-fetch-site': 'same-site',
        origin: 'http://localhost:3000',
      },
    ],
  ])('but passes on what programs and pages of this machine want: %s %s %j', async (method, path, headers) => {
    const reply = await askAs(open, { ...elsewhere, ...headers } as Record<string, string>, method, path)
    expect(reply.status).toBe(200)
    expect(upstream.seen.at(-1)).toMatchObject({ method, path })
  })

  it('but who has the key of one that asks for it comes from anywhere', async () => {
    const headers = { ...typed, authorization: `Bearer ${key}`, host: 'evil.example', origin: 'https://evil.example' }
    expect((await askAs(gateway, headers)).status).toBe(200)
  })
})

describe('Comparing keys', () => {
  it('looks at every byte of what was given, whichever key it is', () => {
    const guard = createGuard({ mode: 'keys', keys: ['aaaa', 'bbbbbbbb'].map((secret) => ({ name: secret, secret })) })
    const given = (value: string) => () => guard((name) => (name === 'x-api-key' ? value : undefined), 'POST')
    expect(given('aaaa')).not.toThrow()
    expect(given('bbbbbbbb')).not.toThrow()
    for (const wrong of ['aaaaaaaa', 'bbbb', 'aaab', 'baaa', 'aaaabbbb', 'ä'])
      expect(given(wrong)).toThrow(/Incorrect API key/)
  })
})
