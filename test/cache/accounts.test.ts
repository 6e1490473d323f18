import { describe, expect, it } from 'vitest'
import type { Key } from '../../src/state/key.ts'
import { keptInMemory } from '../support/accounting.ts'
import { type AskOptions, ask, chat, noLists, until } from '../support/ask.ts'
import { countingHost } from '../support/counting-host.ts'
import { gatewayStarter, serveUpstreams } from '../support/gateway.ts'
import { unrepeating } from '../support/unrepeating.ts'

const { lab } = serveUpstreams({ lab: unrepeating() })
const start = gatewayStarter()

const adminKey = 'sk-of-the-operator'
const price = { input: 1, output: 1 }

async function gatewayWith(cache: object = { ttl: 60 }, keys: Readonly<Record<string, Partial<Key>>> = {}) {
  const { accounting, rows, meters, put } = await keptInMemory()
  for (const [name, key] of Object.entries(keys)) put(`sk-sw-${name}`, { id: `key_${name}`, name, ...key })
  const { cacheHost, arrived } = countingHost()
  const gateway = await start(
    {
      providers: { lab: { type: 'openai-compatible', baseURL: lab.url } },
      models: { m: { deployments: [{ model: 'lab/m', price }] } },
      cache,
      retries: 0,
      keys: ['env:OWN'],
    } as never,
    { env: { OWN: 'sk-own-of-the-file', SAMEWIRE_ADMIN_KEY: adminKey }, services: noLists, accounting, cacheHost },
  )
  return { gateway, rows, meters, arrived }
}

const as = (name: string): AskOptions => ({ headers: { authorization: `Bearer sk-sw-${name}` } })
const result = (reply: { readonly headers: Headers }) => reply.headers.get('x-samewire-cache')

describe('Keys that a gateway keeps', () => {
  it('share answers within their project where they are to, and with nobody else', async () => {
    const keys = { a: { project: 'one' }, b: { project: 'one' }, c: { project: 'two' }, d: {}, e: {} }
    const { gateway } = await gatewayWith({ ttl: 60, scope: 'project' }, keys)
    const results: Record<string, string | null> = {}
    for (const name of Object.keys(keys)) results[name] = result(await ask(gateway, chat('m'), as(name)))
    expect(results).toEqual({ a: 'miss', b: 'hit', c: 'miss', d: 'miss', e: 'miss' })
  })

  it('share nothing without that, be their names the same', async () => {
    const { gateway } = await gatewayWith({ ttl: 60 }, { a: { name: 'x' }, b: { name: 'x' } })
    await ask(gateway, chat('m'), as('a'))
    expect(result(await ask(gateway, chat('m'), as('b')))).toBe('miss')
  })

  it('have no part in it if they are not to', async () => {
    const keys = { a: {}, b: { limits: { cache: false } } }
    const { gateway } = await gatewayWith({ ttl: 60, scope: 'public' }, keys)
    await ask(gateway, chat('m'), as('a'))
    expect(result(await ask(gateway, chat('m'), as('b')))).toBe('bypass')
    expect(result(await ask(gateway, chat('m'), as('a')))).toBe('hit')
  })

  it('get no kept answer of a model that is not for them', async () => {
    const keys = { a: {}, b: { limits: { models: ['other'] } } }
    const { gateway } = await gatewayWith({ ttl: 60, scope: 'public' }, keys)
    await ask(gateway, chat('m'), as('a'))
    expect((await ask(gateway, chat('m'), as('b'))).status).toBe(403)
  })
})

describe('A kept answer', () => {
  it('costs nothing, and has a row with what it took once', async () => {
    const { gateway, rows } = await gatewayWith({ ttl: 60 }, { a: { limits: { budget: 1_000_000_000 } } })
    for (let n = 0; n < 3; n++) await ask(gateway, chat('m', { max_tokens: 5 }), as('a'))
    const [first, ...others] = rows
    expect(first).toMatchObject({
      cache: 'miss',
      input: 3,
      output: 2,
      cost: 5_000,
      booked: 5_000,
      saved: 0,
      deployment: 'lab/m',
    })
    expect(others).toHaveLength(2)
    for (const row of others)
      expect(row).toMatchObject({
        cache: 'hit',
        input: 3,
        output: 2,
        cost: 0,
        booked: 0,
        saved: 5_000,
        deployment: 'lab/m',
      })
  })

  it('has no usage in its stream for who does not ask for it, though the gateway has', async () => {
    const { gateway, rows } = await gatewayWith({ ttl: 60 }, { a: {} })
    const first = await ask(gateway, chat('m', { stream: true }), as('a'))
    const second = await ask(gateway, chat('m', { stream: true }), as('a'))
    expect([result(second), second.text]).toEqual(['hit', first.text])
    expect(first.text).not.toContain('total_tokens')
    const whole = await ask(gateway, chat('m'), as('a'))
    expect([result(whole), JSON.parse(whole.text).usage.total_tokens]).toEqual(['hit', 5])
    expect(rows.map(({ cache, output }) => [cache, output])).toEqual([
      ['miss', 2],
      ['hit', 2],
      ['hit', 2],
    ])
  })

  it('is charged once to those who share it while it is under way', async () => {
    const { promise: told, resolve: goOn } = Promise.withResolvers<void>()
    const answer = unrepeating()
    lab.script(async (seen, response, socket) => {
      await told
      await answer(seen, response, socket)
    })
    const { gateway, rows, arrived } = await gatewayWith({ ttl: 60 }, { a: { limits: { budget: 1_000_000_000 } } })
    const body = chat('m', { max_tokens: 5 })
    const replies = [ask(gateway, body, as('a'))]
    await until(() => lab.seen.length > 0)
    replies.push(ask(gateway, body, as('a')), ask(gateway, body, as('a')))
    await arrived(3)
    goOn()
    await Promise.all(replies)
    expect(rows.map(({ cache, booked, saved }) => `${cache} ${booked} ${saved}`).sort()).toEqual([
      'miss 5000 0',
      'shared 0 5000',
      'shared 0 5000',
    ])
  })

  it('is not there any more once an operator has dropped those of its key', async () => {
    const { gateway } = await gatewayWith({ ttl: 60 }, { a: {}, b: {} })
    for (const name of ['a', 'b']) await ask(gateway, chat('m'), as(name))
    const reply = await fetch(new URL('/admin/cache?key=key_a', gateway.baseURL), {
      method: 'DELETE',
      headers: { authorization: `Bearer ${adminKey}` },
    })
    expect([reply.status, await reply.json()]).toEqual([200, { object: 'cache', dropped: true, key: 'key_a' }])
    for (const name of ['key', 'project']) {
      const url = new URL(`/admin/cache?${name}=`, gateway.baseURL)
      const nobodys = await fetch(url, { method: 'DELETE', headers: { authorization: `Bearer ${adminKey}` } })
      expect([nobodys.status, await nobodys.json()]).toMatchObject([400, { error: { param: name } }])
    }
    expect(result(await ask(gateway, chat('m'), as('b')))).toBe('hit')
    expect(result(await ask(gateway, chat('m'), as('a')))).toBe('miss')
  })
})
