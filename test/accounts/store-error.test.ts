import { afterEach, describe, expect, it } from 'vitest'
import type { Config } from '../../src/config/schema.ts'
import { type Clock, systemClock } from '../../src/core/clock.ts'
import type { KeyLimits, OnStoreError } from '../../src/state/key.ts'
import { ask, chat, errorOf, noLists } from '../support/ask.ts'
import { breakableAccounting } from '../support/breakable.ts'
import { gatewayStarter, ManualClock, serveUpstreams } from '../support/gateway.ts'
import { dollar, headers, secret } from '../support/paying.ts'
import { chatAnswer, json } from '../support/upstream.ts'

const usage = { prompt_tokens: 100, completion_tokens: 50, total_tokens: 150 }
const answer = json(200, { ...(chatAnswer('hello') as object), usage })
const { up, other } = serveUpstreams({ up: answer, other: answer })
const serve = gatewayStarter()
/** In dollars per million: an answer costs 600,000 nano-dollars. */
const price = { input: 1, output: 10 }
const cost = 600_000

const running: Awaited<ReturnType<typeof breakableAccounting>>[] = []
afterEach(async () => {
  for (const kept of running.splice(0)) {
    kept.database.fails = false
    await kept.close()
  }
})

async function start(limits: KeyLimits, onStoreError?: OnStoreError, clock: Clock = systemClock) {
  const kept = await breakableAccounting(clock)
  running.push(kept)
  kept.put(secret, limits)
  const upstream = (baseURL: string) => ({ type: 'openai-compatible', baseURL })
  const config: Config = {
    providers: { up: upstream(up.url), other: upstream(other.url) },
    models: {
      m: { deployments: [{ model: 'up/m', price, maxOutput: 1000 }] },
      two: {
        deployments: [
          { model: 'up/m', price, maxOutput: 1000, order: 1 },
          { model: 'other/m', price, maxOutput: 1000, order: 2 },
        ],
        retries: 0,
      },
    },
    ...(onStoreError && { state: { url: 'file:unused.db', onStoreError } }),
  }
  const env = { SAMEWIRE_ADMIN_KEY: 'the-admin-key-of-this-test' }
  const gateway = await serve(config, { clock, services: noLists, env, accounting: kept.accounting })
  return { ...kept, ask: (model = 'm') => ask(gateway, chat(model), { headers }) }
}

const rowsOf = async ({ ledger, usage }: Awaited<ReturnType<typeof start>>) => {
  await ledger.flush()
  return await usage.rows({ limit: 10 })
}

describe('A key with a budget, whose store fails', () => {
  it('is refused until the store works again, and told when to come back', async () => {
    const gateway = await start({ budget: dollar })
    gateway.database.fails = true
    const refused = await gateway.ask()
    expect(refused.status).toBe(503)
    expect(refused.headers.get('retry-after')).toBe('1')
    expect(errorOf(refused)).toMatchObject({ message: /limits of this key can't be looked up now/ })
    expect(up.seen).toHaveLength(0)
    gateway.database.fails = false
    expect((await gateway.ask()).status).toBe(200)
    expect(await gateway.spent()).toBe(cost)
    expect((await rowsOf(gateway)).map(({ status, unchecked }) => [status, unchecked])).toEqual([
      [200, false],
      [503, false],
    ])
  })

  it('goes on where it is to do so, and is charged once the store works again', async () => {
    // By this clock the store is never too slow for the request after those.
    const gateway = await start({ budget: dollar, onStoreError: 'admit' }, undefined, new ManualClock())
    gateway.database.fails = true
    for (let asked = 0; asked < 3; asked++) expect((await gateway.ask()).status).toBe(200)
    gateway.database.fails = false
    await expect.poll(gateway.spent).toBe(3 * cost)
    expect((await gateway.ask()).status).toBe(200)
    expect(await gateway.spent()).toBe(4 * cost)
    const rows = await rowsOf(gateway)
    expect(rows.map(({ booked, unchecked }) => [booked, unchecked])).toEqual([
      [cost, false],
      ...Array.from({ length: 3 }, () => [cost, true]),
    ])
    const told = gateway.logged.filter((line) => line.startsWith('Limits'))
    expect(told).toEqual([
      "Limits can't be checked, so requests go on that are to do so all the same: the disk is full",
      'Limits are checked again. 3 requests went on meanwhile; the $0.0018 that they have spent so far are counted now.',
    ])
  })

  it('finds that it is used up by what went on meanwhile', async () => {
    const gateway = await start(
      { budget: 2 * cost, onStoreError: 'admit', budgetMode: 'estimate' },
      undefined,
      new ManualClock(),
    )
    gateway.database.fails = true
    for (let asked = 0; asked < 3; asked++) expect((await gateway.ask()).status).toBe(200)
    gateway.database.fails = false
    await expect.poll(gateway.spent).toBe(3 * cost)
    expect(errorOf(await gateway.ask())).toMatchObject({ code: 'insufficient_quota' })
  })

  it('is not charged where the gateway stops before the store works again, which is told', async () => {
    const gateway = await start({ budget: dollar, onStoreError: 'admit' })
    gateway.database.fails = true
    for (let asked = 0; asked < 2; asked++) expect((await gateway.ask()).status).toBe(200)
    await gateway.meters.close()
    expect(gateway.logged).toContain(`untold: ${2 * cost}`)
  })

  it('does what the gateway says for all keys, unless it says otherwise itself', async () => {
    const lenient = await start({ budget: dollar }, 'admit')
    lenient.database.fails = true
    expect((await lenient.ask()).status).toBe(200)
    const strict = await start({ budget: dollar, onStoreError: 'refuse' }, 'admit')
    strict.database.fails = true
    expect((await strict.ask()).status).toBe(503)
  })

  it('gets no further attempt that nobody can pay for', async () => {
    const gateway = await start({ budget: dollar })
    up.script((_, response) => {
      gateway.database.fails = true
      response.writeHead(500).end('{}')
    })
    const answered = await gateway.ask('two')
    expect([answered.status, other.seen.length]).toEqual([503, 0])
  })

  it('goes on to another deployment where it is to do so', async () => {
    const gateway = await start({ budget: dollar, onStoreError: 'admit' })
    up.script((_, response) => {
      gateway.database.fails = true
      response.writeHead(500).end('{}')
    })
    expect((await gateway.ask('two')).status).toBe(200)
    gateway.database.fails = false
    const [row] = await rowsOf(gateway)
    expect(row).toMatchObject({ status: 200, unchecked: true })
    await expect.poll(gateway.spent).toBe(row?.booked)
  })
})

describe('A key without a budget, whose store fails', () => {
  it.each([
    ['has no limits', {}],
    ['may have so many requests at once', { parallel: 2 }],
    ['may have so many a minute', { rpm: 10 }],
  ] satisfies [string, KeyLimits][])('goes on where it %s', async (_, limits) => {
    const gateway = await start(limits)
    gateway.database.fails = true
    expect((await gateway.ask()).status).toBe(200)
  })

  it('is still refused what is too much in a minute', async () => {
    const gateway = await start({ rpm: 2, parallel: 5 })
    gateway.database.fails = true
    const all = [await gateway.ask(), await gateway.ask(), await gateway.ask()]
    expect(all.map(({ status }) => status)).toEqual([200, 200, 429])
  })

  it('is refused where that is wanted', async () => {
    const gateway = await start({ parallel: 2 }, 'refuse')
    gateway.database.fails = true
    expect((await gateway.ask()).status).toBe(503)
  })
})

describe('A store that says nothing', () => {
  it('holds up whoever goes on all the same for a second, and is told once what was used', async () => {
    const clock = new ManualClock()
    const gateway = await start({ budget: dollar, onStoreError: 'admit' }, undefined, clock)
    // Until the first one everything is loaded late.
    expect((await gateway.ask()).status).toBe(200)
    await expect.poll(gateway.held).toBe(0)
    const hangs = Promise.withResolvers<void>()
    gateway.database.hangs = hangs.promise
    const asked = gateway.ask()
    const timers = clock.waiting
    await expect.poll(() => clock.waiting).toBeGreaterThan(timers)
    await clock.advance(999)
    expect(up.seen).toHaveLength(1)
    await clock.advance(1)
    expect((await asked).status).toBe(200)
    const next = gateway.ask()
    await expect.poll(() => clock.waiting).toBeGreaterThan(timers)
    await clock.advance(0)
    expect((await next).status).toBe(200)
    gateway.database.hangs = undefined
    hangs.resolve()
    await expect.poll(gateway.held).toBe(0)
    expect(await gateway.spent()).toBe(3 * cost)
    expect((await rowsOf(gateway)).map(({ unchecked }) => unchecked)).toEqual([true, true, false])
  })

  it('lets through what a minute allows all the same, by the count of one process, and adds that up later', async () => {
    const clock = new ManualClock()
    const gateway = await start({ rpm: 2 }, undefined, clock)
    const hangs = Promise.withResolvers<void>()
    gateway.database.hangs = hangs.promise
    const statuses: number[] = []
    for (let n = 0; n < 3; n++) {
      const timers = clock.waiting
      const asked = gateway.ask()
      await expect.poll(() => clock.waiting).toBeGreaterThan(timers)
      await clock.advance(n === 0 ? 1_000 : 0)
      statuses.push((await asked).status)
    }
    expect(statuses).toEqual([200, 200, 429])
    gateway.database.hangs = undefined
    hangs.resolve()
    // What was let through meanwhile is counted now.
    await expect.poll(async () => (await gateway.database.all('SELECT used FROM rates'))[0]?.used).toBeGreaterThan(1.9)
    expect((await gateway.ask()).status).toBe(429)
  })
})
