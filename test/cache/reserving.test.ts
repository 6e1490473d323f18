import { describe, expect, it } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import type { KeyLimits } from '../../src/state/key.ts'
import { MemoryMeters } from '../../src/state/memory-meters.ts'
import type { Meters } from '../../src/state/meters.ts'
import { keptInMemory } from '../support/accounting.ts'
import { type AskOptions, ask, chat, errorOf, noLists, open } from '../support/ask.ts'
import { countingHost } from '../support/counting-host.ts'
import { gatewayStarter, serveUpstreams } from '../support/gateway.ts'
import { unrepeating } from '../support/unrepeating.ts'
import { chatFrames } from '../support/upstream.ts'

const { lab } = serveUpstreams({ lab: unrepeating() })
const start = gatewayStarter()

async function gatewayWith(limits: Readonly<Record<string, KeyLimits>>, cache: object = { ttl: 60 }, slow?: Meters) {
  const kept = await keptInMemory(systemClock, slow)
  const limit = (name: string, own: KeyLimits) => kept.put(`sk-sw-${name}`, { id: `key_${name}`, name, limits: own })
  for (const [name, own] of Object.entries(limits)) limit(name, own)
  const { cacheHost, arrived } = countingHost()
  const config = {
    providers: { lab: { type: 'openai-compatible', baseURL: lab.url } },
    models: { m: { deployments: [{ model: 'lab/m', price: { input: 1, output: 1 } }] } },
    ...{ cache, retries: 0, cooldown: false },
  }
  const env = { SAMEWIRE_ADMIN_KEY: 'sk-of-the-operator' }
  const { accounting } = kept
  const gateway = await start(config as never, { env, services: noLists, accounting, cacheHost })
  return { gateway, arrived, limit, ...kept }
}

const as = (name: string): AskOptions => ({ headers: { authorization: `Bearer sk-sw-${name}` } })
const result = (reply: { readonly headers: Headers }) => reply.headers.get('x-samewire-cache')
const turn = () => new Promise((next) => setImmediate(next))
const small = chat('m', { max_tokens: 5 })
const plenty = 1_000_000_000
const ofKey = (name: string) => ({ subject: `key:key_${name}`, window: 0 })

/** Resolves once the gateway has noticed that a client has left. */
async function noticed(): Promise<void> {
  for (let turns = 0; turns < 200; turns++) await turn()
}

/** Has the next request to the upstream wait until it is told to go on. */
function held() {
  const told = Promise.withResolvers<void>()
  const answer = unrepeating()
  lab.script(async (...given) => {
    await told.promise
    await answer(...given)
  })
  return told.resolve
}

describe('An answer that was kept', () => {
  it('is there for a key whose budget is used up', async () => {
    const { gateway, limit } = await gatewayWith({ a: { budget: plenty } })
    const first = await ask(gateway, small, as('a'))
    limit('a', { budget: 5_000 })
    const other = await ask(gateway, chat('m', { max_tokens: 6 }), as('a'))
    expect([other.status, errorOf(other).code]).toEqual([429, 'insufficient_quota'])
    const again = await ask(gateway, small, as('a'))
    expect([again.status, result(again), again.text]).toEqual([200, 'hit', first.text])
  })

  it('takes no tokens of those a minute, and none of the requests at once', async () => {
    const { gateway } = await gatewayWith({ a: { tpm: 10_000, parallel: 1 } })
    await ask(gateway, small, as('a'))
    const goOn = held()
    const asking = ask(gateway, chat('m', { max_tokens: 9_000 }), as('a'))
    while (lab.seen.length < 2) await turn()
    expect((await ask(gateway, chat('m', { max_tokens: 9_001 }), as('a'))).status).toBe(429)
    expect(result(await ask(gateway, small, as('a')))).toBe('hit')
    goOn()
    expect((await asking).status).toBe(200)
  })

  it('is one of the requests a minute', async () => {
    const { gateway } = await gatewayWith({ a: { rpm: 2 } })
    await ask(gateway, small, as('a'))
    const hit = await ask(gateway, small, as('a'))
    expect([result(hit), hit.headers.get('x-ratelimit-remaining-requests')]).toEqual(['hit', '0'])
    const third = await ask(gateway, small, as('a'))
    expect([third.status, errorOf(third).type]).toEqual([429, 'requests'])
  })
})

describe('A request that is refused for its budget', () => {
  it('is none of the requests a minute', async () => {
    const { gateway, limit } = await gatewayWith({ a: { rpm: 1, budget: 1 } })
    expect((await ask(gateway, small, as('a'))).status).toBe(429)
    limit('a', { rpm: 1, budget: plenty })
    expect((await ask(gateway, small, as('a'))).status).toBe(200)
  })

  it('refuses nobody else who has joined it, and each key hears of its own budget', async () => {
    const inner = new MemoryMeters()
    const told = Promise.withResolvers<void>()
    const slow: Meters = {
      async reserve(holds) {
        await told.promise
        return inner.reserve(holds)
      },
    }
    const limits = { a: { budget: 1 }, b: { budget: 2 }, c: { budget: plenty }, d: {} }
    const { gateway, arrived } = await gatewayWith(limits, { ttl: 60, scope: 'public' }, slow)
    const replies = []
    for (const name of Object.keys(limits)) {
      replies.push(ask(gateway, small, as(name)))
      await arrived(replies.length)
    }
    told.resolve()
    const [a, b, c, d] = await Promise.all(replies)
    expect([a, b, c, d].map((reply) => reply?.status)).toEqual([429, 429, 200, 200])
    expect(errorOf(a as never).message).toContain('key a')
    expect(errorOf(b as never).message).toContain('key b')
    expect(c?.text).toBe(d?.text)
    expect([result(c as never), result(d as never)].sort()).toEqual(['miss', 'shared'])
    expect(lab.seen).toHaveLength(1)
  })
})

describe('Those who share an answer while it is under way', () => {
  it('reserve nothing beside the one who asked first', async () => {
    const goOn = held()
    const { gateway, arrived, rows, meters } = await gatewayWith({ a: { budget: 40_000_000, parallel: 1 } })
    const one = chat('m', { max_tokens: 30_000 })
    const replies = Array.from({ length: 5 }, () => ask(gateway, one, as('a')))
    await arrived(5)
    goOn()
    expect((await Promise.all(replies)).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
    expect(rows.map(({ booked }) => booked).sort()).toEqual([0, 0, 0, 0, 5_000])
    expect(await meters.read(ofKey('a'))).toEqual({ spent: 5_000, held: 0, lost: 0 })
  })

  it.each([
    ['whole answer', small],
    ['stream', { ...small, stream: true }],
  ])('let the one who asked first pay for what was used of a %s, although it has left', async (_, body) => {
    const { gateway, arrived, rows, meters } = await gatewayWith({ a: { budget: plenty } })
    const goOn = held()
    const leaving = new AbortController()
    const first = ask(gateway, body, { ...as('a'), signal: leaving.signal })
    await arrived(1)
    const second = ask(gateway, body, as('a'))
    await arrived(2)
    leaving.abort()
    await expect(first).rejects.toThrow()
    await noticed()
    goOn()
    expect(result(await second)).toBe('shared')
    while (rows.length < 2) await turn()
    const bills = rows.map(({ cache, outcome, cost, booked, usageSource }) => [
      cache,
      outcome,
      cost,
      booked,
      usageSource,
    ])
    expect(bills.sort()).toEqual([
      ['miss', 'gone', 5_000, 5_000, 'reported'],
      ['shared', 'done', 0, 0, 'none'],
    ])
    expect(await meters.read(ofKey('a'))).toEqual({ spent: 5_000, held: 0, lost: 0 })
  })

  it('leave the most that it can be to the one who left last', async () => {
    const frames = chatFrames('one')
    lab.script(async (_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(frames.slice(0, 2).join(''))
    })
    const { gateway, rows, meters } = await gatewayWith({ a: { budget: plenty } })
    const leaving = [new AbortController(), new AbortController()] as const
    const body = { ...small, stream: true }
    for (const { signal } of leaving) await open(gateway, body, { ...as('a'), signal })
    for (const one of leaving) {
      one.abort()
      await turn()
    }
    await lab.seen[0]?.abandoned
    while (rows.length < 2) await turn()
    const [booked = 0, none] = rows.map((row) => row.booked).sort((a, b) => b - a)
    expect([booked > 5_000, none]).toEqual([true, 0])
    expect(await meters.read(ofKey('a'))).toEqual({ spent: booked, held: 0, lost: 0 })
  })
})
