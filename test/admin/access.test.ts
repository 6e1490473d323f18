import { describe, expect, it } from 'vitest'
import { createAdmin } from '../../src/admin/admin.ts'
import type { AdminScope } from '../../src/admin/route.ts'
import { keptInMemory } from '../support/accounting.ts'
import { ask, chat, errorOf, noLists, type Reply } from '../support/ask.ts'
import { runtimes, serveBoth } from '../support/both.ts'
import { gatewayStarter } from '../support/gateway.ts'
import { headers, secret } from '../support/paying.ts'
import { chatAnswer, fakeUpstream, json } from '../support/upstream.ts'

const adminKey = 'sk-admin-0123456789abcdef'
const key = 'sk-model-0123456789abcdef'
const start = gatewayStarter()

async function request(baseURL: string, path: string, init: RequestInit = {}): Promise<Reply> {
  const response = await fetch(new URL(path, baseURL), init)
  return { status: response.status, headers: response.headers, text: await response.text() }
}

const bearer = (value: string) => ({ headers: { authorization: `Bearer ${value}` } })

describe('A gateway with an admin key', () => {
  const { both } = serveBoth(
    'admin-access',
    (url) => ({ providers: { p: { type: 'openai-compatible', baseURL: url } } }),
    {
      env: { SAMEWIRE_ADMIN_KEY: adminKey },
    },
  )

  it.each(runtimes)('shows its configuration to who brings it (%s)', async (runtime) => {
    const reply = await request(both.addresses[runtime], '/admin/config', bearer(adminKey))
    expect(reply.status).toBe(200)
    expect(reply.headers.get('cache-control')).toBe('no-store')
    expect(JSON.parse(reply.text)).toMatchObject({ object: 'config', config: { providers: { p: {} } } })
  })

  it.each(runtimes)('refuses everybody else, with what is needed (%s)', async (runtime) => {
    const wrong = ['sk-admin-0123456789abcdeF', `${adminKey}x`, adminKey.slice(1), both.key]
    for (const init of [{}, ...wrong.map(bearer), { headers: { 'x-api-key': adminKey } }]) {
      const reply = await request(both.addresses[runtime], '/admin/config', init)
      expect(reply.status).toBe(401)
      expect(errorOf(reply).message).toContain('SAMEWIRE_ADMIN_KEY')
      expect(reply.text).not.toContain(adminKey)
    }
  })

  it.each(runtimes)('lets nobody ask a model by it (%s)', async (runtime) => {
    const body = JSON.stringify(chat('p/m'))
    for (const name of ['authorization', 'api-key', 'x-api-key', 'x-goog-api-key']) {
      const headers = {
        'content-type': 'application/json',
        authorization: `Bearer ${both.key}`,
        [name]: name === 'authorization' ? `Bearer ${adminKey}` : adminKey,
      }
      const reply = await request(both.addresses[runtime], '/v1/chat/completions', { method: 'POST', body, headers })
      expect(reply.status).toBe(401)
      expect(errorOf(reply).message).toContain('/admin')
    }
  })

  it.each(runtimes)('tells which routes there are not, and which methods (%s)', async (runtime) => {
    const init = bearer(adminKey)
    const missing = await request(both.addresses[runtime], '/admin/nothing', init)
    expect([missing.status, errorOf(missing).code]).toEqual([404, 'unknown_url'])
    const wrong = await request(both.addresses[runtime], '/admin/config', { ...init, method: 'POST' })
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'GET'])
    const head = await request(both.addresses[runtime], '/admin/config', { ...init, method: 'HEAD' })
    expect([head.status, head.text]).toEqual([200, ''])
  })
})

describe('A Worker', () => {
  const { both } = serveBoth(
    'admin-worker',
    (url) => ({ providers: { p: { type: 'openai-compatible', baseURL: url } } }),
    {
      env: { SAMEWIRE_ADMIN_KEY: adminKey },
    },
  )

  it.each(['reload', 'rollback'])('says that a deployment is its reload: %s', async (what) => {
    const init = { ...bearer(adminKey), method: 'POST' }
    const reply = await request(both.addresses.workerd, `/admin/config/${what}`, init)
    expect(reply.status).toBe(501)
    expect(errorOf(reply).message).toContain('a deployment is the reload')
  })
})

describe('A gateway without an admin key', () => {
  const providers = { p: { type: 'openai-compatible', baseURL: 'http://127.0.0.1:1' } }

  it('has no admin routes if it has keys, and says what would open them', async () => {
    const { baseURL } = await start({ providers }, { env: { SAMEWIRE_KEY: key }, services: noLists })
    for (const init of [{}, bearer(key), { ...bearer(key), method: 'POST' }]) {
      const reply = await request(baseURL, '/admin/config', init)
      expect([reply.status, errorOf(reply).code]).toEqual([404, 'unknown_url'])
      expect(errorOf(reply).message).toContain('SAMEWIRE_ADMIN_KEY')
    }
  })

  it('has none either while it lets nobody in', async () => {
    const access = { mode: 'closed', remedy: 'Set a key.' } as const
    const { baseURL } = await start({ providers }, { access, services: noLists })
    expect((await request(baseURL, '/admin/config')).status).toBe(404)
  })

  it('shows them to this machine if it is open to it', async () => {
    const { baseURL } = await start({ providers }, { services: noLists })
    expect((await request(baseURL, '/admin/config')).status).toBe(200)
  })

  it.each([
    ['of another site', { origin: 'https://evil.example' }],
    ['of another site, without saying so', { 'sec-fetch-site': 'cross-site' }],
    ['with a form', { 'content-type': 'text/plain' }],
  ])('keeps out the pages %s', async (_, headers) => {
    const { baseURL } = await start({ providers }, { services: noLists })
    const reply = await request(baseURL, '/admin/config/reload', { method: 'POST', headers })
    expect(reply.status).toBe(403)
  })
})

describe.each(['open', 'closed'] as const)('A gateway, %s without keys, that may have made some', (mode) => {
  it('lets in their holders only, also when the admin key is missing', async () => {
    const upstream = await fakeUpstream(json(200, chatAnswer('x')))
    const { accounting, put } = await keptInMemory()
    put(secret, {})
    const providers = { p: { type: 'openai-compatible', baseURL: upstream.url } } as const
    const gateway = await start({ providers }, { access: { mode, remedy: '' }, services: noLists, accounting })
    expect((await ask(gateway, chat('p/m'))).status).toBe(401)
    expect((await ask(gateway, chat('p/m'), { headers })).status).toBe(200)
    await upstream.close()
  })
})

describe('An open gateway without an admin key', () => {
  it('lets nobody in without a key as soon as another process has made one, and nobody make one', async () => {
    const upstream = await fakeUpstream(json(200, chatAnswer('x')))
    const { accounting, put } = await keptInMemory()
    const providers = { p: { type: 'openai-compatible', baseURL: upstream.url } } as const
    const gateway = await start({ providers }, { services: noLists, accounting })
    expect((await ask(gateway, chat('p/m'))).status).toBe(200)
    put(secret, {})
    expect((await ask(gateway, chat('p/m'))).status).toBe(401)
    expect((await ask(gateway, chat('p/m'), { headers: { authorization: 'Bearer sk-wrong' } })).status).toBe(401)
    expect((await ask(gateway, chat('p/m'), { headers })).status).toBe(200)
    expect((await request(gateway.baseURL, '/admin/config', { headers })).status).toBe(404)
    await upstream.close()
  })

  it.each([
    ['GET', '/v1/keys'],
    ['POST', '/v1/keys'],
    ['PATCH', '/v1/keys/key_1'],
    ['DELETE', '/keys/key_1'],
    ['GET', '/v1/requests'],
    ['GET', '/v1/organization/usage/completions'],
  ])('has no %s %s, since whoever makes keys lets others in', async (method, path) => {
    const scope = { state: () => Promise.reject(new Error('nobody is to ask')) } as unknown as AdminScope
    const admin = createAdmin({ adminKey: undefined, access: { mode: 'open' }, scope, log: () => {} })
    const url = `http://localhost${path}`
    const answer = await admin({ id: 'req_1', method, url, header: () => undefined, json: async () => ({}) })
    expect(answer.status).toBe(404)
    expect(await answer.text()).toContain('SAMEWIRE_ADMIN_KEY')
  })
})

describe('An open gateway with an admin key', () => {
  it('never passes it on to a provider that takes the caller’s key', async () => {
    const upstream = await fakeUpstream(json(200, chatAnswer('x')))
    const providers = { own: { type: 'openai', baseURL: upstream.url, apiKey: 'client' } }
    const gateway = await start({ providers }, { env: { SAMEWIRE_ADMIN_KEY: adminKey }, services: noLists })
    const reply = await ask(gateway, chat('own/m'), { headers: { authorization: `Bearer ${adminKey}` } })
    expect(reply.status).toBe(401)
    expect(upstream.seen).toEqual([])
    await upstream.close()
  })
})

it('An admin key that is a key for models too is refused at the start', async () => {
  const env = { SAMEWIRE_KEY: key, SAMEWIRE_ADMIN_KEY: key }
  await expect(start({}, { env })).rejects.toThrow('SAMEWIRE_ADMIN_KEY: it is the same as SAMEWIRE_KEY')
})

describe('An admin route', () => {
  const admin = createAdmin({ adminKey: undefined, access: { mode: 'open' }, scope: {} as AdminScope, log: () => {} }, [
    {
      method: 'GET',
      path: '/admin/things/{id}',
      answer: ({ parameters, query }) => ({ body: { ...parameters, n: query.get('n') } }),
    },
    { method: 'DELETE', path: '/admin/things/{id}', answer: () => ({ status: 204, body: '' }) },
    { method: 'GET', path: '/admin/text', answer: () => ({ body: 'a 1\n' }) },
    { method: 'GET', path: '/admin/broken', answer: () => Promise.reject(new Error('a secret of the inside')) },
  ])
  const call = (method: string, path: string) =>
    admin({ id: 'req_1', method, url: `http://localhost${path}`, header: () => undefined, json: async () => ({}) })

  it('gets the parts of the path and the query', async () => {
    expect(await (await call('GET', '/admin/things/a%2Fb?n=2')).json()).toEqual({ id: 'a/b', n: '2' })
  })

  it('may answer with a text', async () => {
    const response = await call('GET', '/admin/text')
    expect([await response.text(), response.headers.get('content-type')]).toEqual([
      'a 1\n',
      'text/plain; charset=utf-8',
    ])
  })

  it('may answer with nothing', async () => {
    expect((await call('DELETE', '/admin/things/1')).status).toBe(204)
  })

  it('tells a client nothing of what it fails by itself', async () => {
    const response = await call('GET', '/admin/broken')
    expect([response.status, await response.text()]).toEqual([500, expect.not.stringContaining('secret')])
  })
})
