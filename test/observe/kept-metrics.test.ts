import { beforeEach, describe, expect, it } from 'vitest'
import { configuredKey, createAccounting } from '../../src/accounts/accounting.ts'
import { limiterOf } from '../../src/accounts/limiter.ts'
import { Rates } from '../../src/accounts/rates.ts'
import { systemClock } from '../../src/core/clock.ts'
import { openSqlite } from '../../src/node/sqlite.ts'
import { Gathering } from '../../src/observe/metrics/gathering.ts'
import type { KeptFigures } from '../../src/observe/metrics/kept.ts'
import { createMetrics } from '../../src/observe/metrics/metrics.ts'
import { loadPrices } from '../../src/prices/load.ts'
import type { TransactionalDatabase } from '../../src/state/database.ts'
import { type Kept, openKept } from '../../src/state/kept.ts'
import type { KeyLimits } from '../../src/state/key.ts'
import type { KeyTerms } from '../../src/state/key-store.ts'
import { windowAt } from '../../src/state/window.ts'
import { digestOf } from '../support/accounting.ts'
import { ask, chat } from '../support/ask.ts'
import { duringTests } from '../support/during-tests.ts'
import { gatewayStarter, serveUpstreams } from '../support/gateway.ts'
import { secure } from '../support/rows.ts'
import { chatAnswer, json } from '../support/upstream.ts'
import { env, headers, startCounted } from './metrics.ts'
import { parseMetrics, sumOf } from './prometheus.ts'

const { up, spare } = serveUpstreams({ up: json(200, chatAnswer('hello')), spare: json(200, chatAnswer('spare')) })
const serve = gatewayStarter()
/** What there is to go wrong with the store. */
let isBroken = false
const database = duringTests(async (): Promise<TransactionalDatabase> => {
  const inner = await openSqlite(':memory:', { clock: systemClock })
  const all: typeof inner.all = (sql, values) => (isBroken ? Promise.reject(new Error('no')) : inner.all(sql, values))
  return {
    all,
    batch: (statements) => inner.batch(statements),
    transaction: (work) => inner.transaction(work),
    close: () => inner.close(),
  }
})
const logged: string[] = []
const kept: Kept = duringTests(() =>
  openKept(database, { clock: systemClock, log: (line) => void logged.push(line), secure }),
)

beforeEach(async () => {
  isBroken = false
  for (const { id } of await kept.keys.list({ disabled: true, offset: 0, limit: 1000 })) await kept.keys.remove(id)
})

const make = (name: string, limits: KeyLimits = {}, more: Partial<KeyTerms> = {}) =>
  kept.keys.create({ name, disabled: false, limits, metadata: {}, ...more })

async function spend(subject: string, nano: number, window = 0): Promise<void> {
  await database.all('INSERT INTO meters (subject, since, spent) VALUES (?1, ?2, ?3)', [subject, window, nano])
}

async function start(names: 'gen_ai' | 'litellm' = 'gen_ai', more: object = {}) {
  const { holders: keys, projectBook: projects, ledger, meters } = kept
  const parts = { clock: systemClock, digest: digestOf, keys, projects, ledger, catalogue: await loadPrices() }
  const accounting = createAccounting({ ...parts, limiter: limiterOf(new Rates(systemClock), meters) })
  const { figures } = kept
  const budgets: KeptFigures['budgets'] = (given, most) => figures.budgets(given.map(configuredKey), most)
  const counted = { names, kept: () => ({ ...figures, budgets }) }
  return await startCounted(serve, { up, spare }, counted, more, { accounting, state: async () => kept })
}

const bearer = (secret: string) => ({ headers: { authorization: `Bearer ${secret}` } })

describe('The metrics of what is kept', () => {
  it('tell what is left of the budgets of keys and projects, and what they were', async () => {
    const { key } = await make('ada', { budget: 5e9, budgetReset: 'daily' })
    await make('without a budget')
    await make('off', { budget: 1e9 }, { disabled: true })
    await make('over', { budget: 1e9 }, { expiresAt: 1 })
    const project = await kept.projects.create({ name: 'web', limits: { budget: 2e9 }, metadata: {} })
    await spend(`key:${key.id}`, 2e9, windowAt('daily', Date.now()))
    // Of a day that is over.
    await spend(`key:${key.id}`, 3e9, windowAt('daily', Date.now()) - 86_400_000)
    await spend(`project:${project?.id}`, 5e9)
    const counted = await start()
    const found = parseMetrics(await counted.scrape())
    expect(sumOf(found, 'samewire_budget_remaining_usd', { key: 'ada', project: '' })).toBe(3)
    expect(sumOf(found, 'samewire_budget_limit_usd', { key: 'ada' })).toBe(5)
    // More than all of it was spent.
    expect(sumOf(found, 'samewire_budget_remaining_usd', { key: '', project: 'web' })).toBe(0)
    expect(found.get('samewire_budget_remaining_usd')?.samples).toHaveLength(2)
  })

  it('tell of the budgets of keys in the configuration too', async () => {
    const counted = await start('gen_ai', {
      keys: [{ key: 'env:TEAM_KEY', name: 'team', budget: 1.5 }],
      state: { url: 'file:elsewhere.db' },
    })
    const found = parseMetrics(await counted.scrape())
    expect(sumOf(found, 'samewire_budget_remaining_usd', { key: 'team' })).toBe(1.5)
  })

  it('forget a key that is gone, instead of telling that it has nothing left', async () => {
    const { key } = await make('short-lived', { budget: 5e9 })
    const counted = await start()
    expect(await counted.scrape()).toContain('key="short-lived"')
    await kept.keys.remove(key.id)
    expect(await counted.scrape()).not.toContain('short-lived')
  })

  it('tell of the two hundred budgets that are nearest to their end, and of no more', async () => {
    for (let n = 0; n < 210; n++) {
      const { key } = await make(`key-${n}`, { budget: 1000 })
      await spend(`key:${key.id}`, n)
    }
    const samples = parseMetrics(await (await start()).scrape()).get('samewire_budget_remaining_usd')?.samples
    expect(samples).toHaveLength(200)
    const told = samples?.map(({ labels }) => labels.key)
    expect(told).toContain('key-209')
    expect(told).not.toContain('key-9')
  })

  it('tell of no budgets while the store fails, and of all else', async () => {
    await make('ada', { budget: 5e9 })
    const counted = await start()
    isBroken = true
    const text = await counted.scrape()
    expect(text).not.toContain('samewire_budget_remaining_usd{')
    expect(text).toContain('samewire_ledger_waiting')
  })

  it('count the rows of the ledger', async () => {
    const counted = await start()
    const written = async () =>
      sumOf(parseMetrics(await counted.scrape()), 'samewire_ledger_rows_total', { result: 'written' })
    const before = await written()
    await ask(counted.gateway, chat('m'), { headers })
    await kept.ledger.flush()
    expect(await written()).toBe(before + 1)
  })

  it("have the names of LiteLLM's proxy where that is wanted", async () => {
    await make('ada', { budget: 5e9 })
    const found = parseMetrics(await (await start('litellm')).scrape())
    expect(sumOf(found, 'litellm_remaining_api_key_budget_metric', { api_key_alias: 'ada' })).toBe(5)
    expect(sumOf(found, 'litellm_api_key_max_budget_metric', { api_key_alias: 'ada' })).toBe(5)
  })
})

describe('Refusals', () => {
  it('are counted by what the gateway refused for, and by which limit', async () => {
    const slow = await make('slow', { rpm: 1 })
    const narrow = await make('narrow', { models: ['spare/m'] })
    const poor = await make('poor', { budget: 1 })
    const off = await make('off', {}, { disabled: true })
    const over = await make('over', {}, { expiresAt: 1 })
    const counted = await start()
    const statuses = []
    for (const init of [bearer(slow.secret), bearer(slow.secret), bearer(narrow.secret), bearer(poor.secret), {}])
      statuses.push((await ask(counted.gateway, chat('m'), init)).status)
    for (const secret of [off.secret, over.secret, 'sk-sw-nobodys', env.SAMEWIRE_ADMIN_KEY])
      statuses.push((await ask(counted.gateway, chat('m'), bearer(secret))).status)
    expect(statuses).toEqual([200, 429, 403, 429, 401, 401, 401, 401, 401])
    const found = parseMetrics(await counted.scrape())
    const refusals = found.get('samewire_refusals_total')?.samples.map(({ labels, value }) => [labels, value])
    expect(refusals).toHaveLength(8)
    for (const labels of [
      { kind: 'requests', limit: 'key_rpm' },
      { kind: 'budget_exceeded', limit: 'key_budget' },
      ...['model_not_allowed', 'key_missing', 'key_disabled', 'key_expired', 'key_unknown', 'key_of_admin'].map(
        (kind) => ({
          kind,
        }),
      ),
    ])
      expect(refusals).toContainEqual([labels, 1])
  })

  it("are not those of a provider's limits", async () => {
    const counted = await start()
    up.script(json(429, { error: { message: 'slow down' } }))
    spare.script(json(429, { error: { message: 'slow down' } }))
    expect((await ask(counted.gateway, chat('m'), { headers })).status).toBe(429)
    expect(await counted.scrape()).not.toContain('samewire_refusals_total{')
  })
})

describe('Several processes', () => {
  it('tell one budget, not the sum of what each says of it, and the sum of their rows', async () => {
    const clock = systemClock
    const told = (left: number, written: number) =>
      createMetrics({
        ...{ clock, latest: false },
        kept: () => ({
          rows: () => ({ written, dropped: 0, waiting: 1 }),
          lost: () => 2e9,
          budgets: async () => [{ of: 'key', name: 'ada', limit: 5e9, left }],
        }),
      })
    const gathering = new Gathering<string>(clock)
    const processes = { one: told(4e9, 10), other: told(3e9, 20) }
    const sum = await gathering.gather(Object.keys(processes), async (member, round) =>
      gathering.heard(member, await processes[member as 'one' | 'other'].fresh(), round),
    )
    const valuesOf = (metric: string) =>
      sum.series.filter((one) => one.metric === metric).map(({ at, labels }) => [labels.join(), sum.values[at]])
    expect(valuesOf('samewire.budget_remaining_usd')).toEqual([['ada,', 3]])
    expect(valuesOf('samewire.ledger_rows')).toEqual([
      ['written', 30],
      ['dropped', 0],
    ])
    expect(valuesOf('samewire.ledger_waiting')).toEqual([['', 2]])
    expect(valuesOf('samewire.leases_lost_usd')).toEqual([['', 4]])
  })
})
