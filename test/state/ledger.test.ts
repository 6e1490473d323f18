import { beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import { type Database, type Statement, StoreError } from '../../src/state/database.ts'
import type { UsageQuery } from '../../src/state/ledger.ts'
import { createLedger, type LedgerWriter } from '../../src/state/ledger-writer.ts'
import { fieldNames } from '../../src/state/request-rows.ts'
import { keepFor } from '../../src/state/retention.ts'
import { createUsage } from '../../src/state/usage.ts'
import { ManualClock } from '../support/gateway.ts'
import { memoryDatabase, rowMaker } from '../support/state.ts'

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

let inner: Database
let clock: ManualClock
let logged: string[]
let ledger: LedgerWriter
/** What comes of the next batches, in order; then they are written. */
let faults: ('refused' | 'written all the same')[]
let batches: number[]
/** Of each. */
let rows: number[]
const make = rowMaker()
const usage = () => createUsage(inner, clock)

beforeEach(async () => {
  inner = await memoryDatabase()
  clock = new ManualClock()
  logged = []
  faults = []
  batches = []
  rows = []
  const database: Database = {
    all: (sql, values) => inner.all(sql, values),
    close: () => inner.close(),
    async batch(statements) {
      batches.push(statements.length)
      rows.push(rowsIn(statements))
      const fault = faults.shift()
      if (fault === 'refused') throw new StoreError('database is locked', { busy: true })
      const results = await inner.batch(statements)
      if (fault) throw new StoreError('the connection broke')
      return results
    },
  }
  ledger = createLedger({ database, clock, log: (line) => logged.push(line), mostWaiting: 100 })
})

/** Several of them are inserted at once. */
function rowsIn(statements: readonly Statement[]): number {
  const inserts = statements.filter(({ sql }) => sql.startsWith('INSERT INTO requests '))
  return inserts.reduce((sum, { values = [] }) => sum + values.length, 0) / fieldNames.length
}

/** Lets time pass, and all that timers began come to its end. */
async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 10) {
    await clock.advance(Math.min(10, left))
    for (let turn = 0; turn < 4; turn++) await new Promise((next) => setImmediate(next))
  }
}

const query = (fields: Partial<UsageQuery>): UsageQuery => {
  const from = clock.now() - (clock.now() % day)
  return { from, to: from + day, width: day, groups: [], only: {}, ...fields }
}
const requestsIn = async () => (await usage().sums(query({})))[0]?.requests ?? 0

describe('A row of the ledger', () => {
  it('is there as it was written, a moment later', async () => {
    const row = make({
      at: clock.now(),
      key: 'key_1',
      keyName: 'Ada',
      project: 'p',
      user: 'u',
      endUser: `x'); DROP TABLE requests; --`,
      stream: true,
      firstMs: 3,
      attempts: '[{"deployment":"p/gpt","ms":12,"failure":null}]',
      metadata: '{"tag":"a"}',
    })
    ledger.write(row)
    expect(await usage().row(row.id)).toBeUndefined()
    await pass(50)
    expect(await usage().row(row.id)).toEqual(row)
  })

  it('is taken by every store, whatever stands in it', async () => {
    const odd = {
      endUser: `a\0b\ud800${'x'.repeat(600)}`,
      metadata: `{"a":"${'x'.repeat(20_000)}"}`,
      ms: 0.6,
      cost: 1.2,
    }
    const row = make({ at: clock.now() + 0.25, ...odd, input: Number.NaN })
    ledger.write(row)
    await ledger.flush()
    const written = await usage().row(row.id)
    expect(written).toMatchObject({ at: clock.now(), ms: 1, cost: 1, input: 0, metadata: null })
    expect(written?.endUser).toBe(`a\ufffdb\ufffd${'x'.repeat(508)}`)
  })
})

describe('A row that is made later', () => {
  it('is made with 15 others, each once, and written without a wait as soon as there are 64', async () => {
    let made = 0
    const later = () => {
      made++
      return make({ at: clock.now() })
    }
    for (let at = 0; at < 15; at++) ledger.write(later)
    expect([made, ledger.waiting]).toEqual([0, 15])
    ledger.write(later)
    expect([made, ledger.waiting]).toEqual([16, 16])
    for (let at = 0; at < 47; at++) ledger.write(later)
    await pass(1)
    expect([made, await requestsIn()]).toEqual([48, 0])
    ledger.write(later)
    await pass(1)
    expect([made, await requestsIn(), ledger.waiting]).toEqual([64, 64, 0])
    ledger.write(later)
    await pass(1)
    expect(await requestsIn()).toBe(64)
    await ledger.flush()
    expect([made, await requestsIn()]).toEqual([65, 65])
  })

  it('is made at once while the store refuses rows, so that it keeps nothing else', async () => {
    faults = ['refused']
    ledger.write(make({ at: clock.now() }))
    await ledger.flush()
    let made = 0
    ledger.write(() => make({ at: clock.now() + made++ }))
    expect(made).toBe(1)
  })
})

describe('A row that can not be made', () => {
  it('is told, and costs no other one', async () => {
    ledger.write(() => make({ at: clock.now() }))
    ledger.write(() => {
      throw new Error('no such tokens')
    })
    ledger.write(() => make({ at: clock.now() }))
    await ledger.flush()
    expect(logged).toEqual(['A row of the ledger could not be made, and is lost: no such tokens'])
    ledger.write(make({ at: clock.now() }))
    await ledger.close()
    expect(await requestsIn()).toBe(3)
  })
})

describe('Many rows', () => {
  it('are written in transactions of 64, one after the other', async () => {
    for (let at = 0; at < 100; at++) ledger.write(make({ at: clock.now() }))
    await pass(60)
    expect(rows).toEqual([64, 36])
    expect(await requestsIn()).toBe(100)
  })

  it('wait while the store refuses them, and are each there once in the end', async () => {
    faults = ['refused', 'refused', 'written all the same', 'refused', 'written all the same']
    for (let at = 0; at < 70; at++) ledger.write(make({ at: clock.now() }))
    await pass(50)
    expect(await requestsIn()).toBe(0)
    await pass(5_000)
    ledger.write(make({ at: clock.now() }))
    await pass(50)
    expect(faults).toEqual([])
    expect([await requestsIn(), (await inner.all('SELECT id FROM requests')).length]).toEqual([71, 71])
    expect(logged[0]).toBe("The ledger can't be written, so its rows wait: database is locked")
    expect(logged.at(-1)).toBe('The ledger is written again.')
  })

  it('are given up beyond a bound, but their sums are not', async () => {
    faults = ['refused', 'refused', 'refused']
    ledger.write(make({ at: clock.now(), key: 'key_1' }))
    await pass(50)
    for (let at = 0; at < 250; at++) ledger.write(make({ at: clock.now(), key: 'key_1' }))
    await pass(1_000)
    expect(ledger.dropped).toBe(150)
    expect((await inner.all('SELECT id FROM requests')).length).toBe(101)
    expect(await usage().sums(query({}))).toMatchObject([{ requests: 251, input: 2510, cost: 251_000 }])
    expect((await usage().spending(['key_1'])).get('key_1')?.total).toBe(251_000)
    expect(logged).toEqual([
      "The ledger can't be written, so its rows wait: database is locked",
      'The ledger has no room: of further requests it keeps sums only.',
      'The ledger is written again. Of 150 requests there are only sums.',
    ])
  })

  it('have their sums written bit by bit, however many there are', async () => {
    faults = ['refused', 'refused', 'refused']
    for (let at = 0; at < 500; at++) ledger.write(make({ at: clock.now(), key: `key_${at}` }))
    await pass(1_000)
    expect(ledger.dropped).toBe(400)
    expect(await requestsIn()).toBe(500)
    expect((await usage().spending(['key_499'])).get('key_499')?.total).toBe(1_000)
    // A row, and at most two sums of it and two of one that was given up.
    expect(Math.max(...batches)).toBeLessThanOrEqual(5 * 64)
  })

  it('are written when the gateway stops, or it is told that they are not', async () => {
    ledger.write(make({ at: clock.now() }))
    await ledger.close()
    expect([await requestsIn(), clock.waiting]).toEqual([1, 0])
    faults = ['refused']
    ledger.write(make({ at: clock.now() }))
    await ledger.close()
    expect(logged.at(-1)).toBe('1 row of the ledger could not be written, and is lost.')
  })

  it('are told to be lost when the gateway stops, those of which there are only sums too', async () => {
    faults = ['refused', 'refused', 'refused']
    for (let at = 0; at < 130; at++) ledger.write(make({ at: clock.now() }))
    await ledger.close()
    expect(logged.at(-1)).toBe('130 rows of the ledger could not be written, and are lost.')
  })

  it('can be read from the newest on, also those of one key only', async () => {
    const rows = Array.from({ length: 1_203 }, (_, at) =>
      make({ at: clock.now() + at, key: at % 400 === 1 ? 'key_1' : null }),
    )
    const wide = createLedger({ database: inner, clock, log: () => {} })
    for (const row of rows) wide.write(row)
    await Promise.all([wide.flush(), pass(500)])
    const ids = rows.map(({ id }) => id).reverse()
    const read = async (options: Parameters<ReturnType<typeof usage>['rows']>[0]) =>
      (await usage().rows(options)).map(({ id }) => id)
    expect(await read({ limit: 3 })).toEqual(ids.slice(0, 3))
    expect(await read({ limit: 1_100, before: ids[2] })).toEqual(ids.slice(3, 1_103))
    expect(await read({ limit: 9, before: ids.at(-1) })).toEqual([])
    const own = rows
      .filter(({ key }) => key === 'key_1')
      .map(({ id }) => id)
      .reverse()
    expect(own).toHaveLength(4)
    expect(await read({ limit: 9, key: 'key_1' })).toEqual(own)
    expect(await read({ limit: 2, key: 'key_1', before: own[0] })).toEqual(own.slice(1, 3))
    expect(await read({ limit: 9, key: 'nobody' })).toEqual([])
  })
})

describe('Usage', () => {
  const midnight = 1_700_006_400_000

  beforeEach(async () => {
    const rows = [
      make({ at: midnight, key: 'a', model: 'm1', project: 'p' }),
      make({ at: midnight + minute, key: 'a', model: 'm2', outcome: 'failed', status: 502, cost: 0, booked: 0 }),
      make({
        at: midnight + minute + 1,
        key: 'b',
        model: 'm1',
        cost: null,
        booked: 7,
        saved: 9,
        operation: 'embeddings',
      }),
      make({ at: midnight + hour, key: null, model: null, endUser: 'eve', outcome: 'gone' }),
      make({ at: midnight + day, key: 'a', model: 'm1', outcome: 'cut' }),
    ]
    for (const row of rows) ledger.write(row)
    await ledger.flush()
  })

  const sums = (fields: Partial<UsageQuery>) =>
    usage().sums({ from: midnight, to: midnight + 2 * day, width: day, groups: [], only: {}, ...fields })

  it('is summed up by the day', async () => {
    expect(await sums({})).toMatchObject([
      {
        bucket: midnight,
        requests: 4,
        errors: 1,
        input: 40,
        cached: 8,
        cost: 2_000,
        booked: 2_007,
        saved: 9,
        unpriced: 1,
      },
      { bucket: midnight + day, requests: 1, errors: 1, cost: 1_000 },
    ])
  })

  it('is summed up by the hour and by the minute', async () => {
    const buckets = async (width: number) =>
      (await sums({ width, to: midnight + 2 * hour })).map(({ bucket, requests }) => [bucket - midnight, requests])
    expect(await buckets(hour)).toEqual([
      [0, 3],
      [hour, 1],
    ])
    expect(await buckets(minute)).toEqual([
      [0, 1],
      [minute, 2],
      [hour, 1],
    ])
  })

  it.each([day, minute])('is grouped and filtered alike, whatever it is summed from: %s ms', async (width) => {
    const groups = async (fields: Partial<UsageQuery>) =>
      (await sums({ width, to: midnight + day, ...fields })).map(({ group, requests }) => ({ ...group, requests }))
    const byKey = await groups({ groups: ['key', 'operation'], only: { key: ['a', 'b'] } })
    expect(byKey.toSorted((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1))).toEqual(
      width === day
        ? [
            { key: 'a', operation: 'chat', requests: 2 },
            { key: 'b', operation: 'embeddings', requests: 1 },
          ]
        : [
            { key: 'a', operation: 'chat', requests: 1 },
            { key: 'a', operation: 'chat', requests: 1 },
            { key: 'b', operation: 'embeddings', requests: 1 },
          ],
    )
    expect(await groups({ groups: ['endUser', 'key', 'model'], only: { endUser: ['eve'] } })).toEqual([
      { endUser: 'eve', key: null, model: null, requests: 1 },
    ])
    expect(await groups({ only: { project: ['p'] } })).toEqual([{ requests: 1 }])
    expect(await groups({ only: { model: ["' OR 1 = 1 --"] } })).toEqual([])
  })

  it('of a key ends with its day, its week and its month', async () => {
    const at = (now: number) => createUsage(inner, { ...systemClock, now: () => now }).spending(['a', 'nobody'])
    expect(await at(midnight + day)).toEqual(
      new Map([['a', { total: 2_000, daily: 1_000, weekly: 2_000, monthly: 2_000 }]]),
    )
    expect((await at(midnight + 2 * day)).get('a')).toEqual({ total: 2_000, daily: 0, weekly: 2_000, monthly: 2_000 })
    expect((await at(midnight + 7 * day)).get('a')).toEqual({ total: 2_000, daily: 0, weekly: 0, monthly: 2_000 })
    expect((await at(midnight + 30 * day)).get('a')).toEqual({ total: 2_000, daily: 0, weekly: 0, monthly: 0 })
  })

  it('of an earlier day that is told late is none of today’s', async () => {
    ledger.write(make({ at: midnight + day - 1, key: 'a' }))
    await ledger.flush()
    expect(
      (await createUsage(inner, { ...systemClock, now: () => midnight + day }).spending(['a'])).get('a'),
    ).toMatchObject({
      total: 3_000,
      daily: 1_000,
    })
  })

  it('tells no more users apart than a thousand in an hour, and counts the others all the same', async () => {
    const wide = createLedger({ database: inner, clock, log: () => {} })
    for (let at = 0; at < 1_200; at++) wide.write(make({ at: midnight + 5 * day, endUser: `made up ${at}` }))
    await Promise.all([wide.flush(), pass(500)])
    const [all, ...others] = await usage().sums(query({ from: midnight + 5 * day, to: midnight + 6 * day }))
    expect([all?.requests, others]).toEqual([1_200, []])
    expect(await inner.all('SELECT count(*) AS n FROM usage WHERE bucket = ?1', [midnight + 5 * day])).toEqual([
      { n: 1_001 },
    ])
  })
})

it('Rows are deleted once they are too old, a few at a time, and their sums stay', async () => {
  const wide = createLedger({ database: inner, clock, log: () => {} })
  for (let at = 0; at < 1_200; at++) wide.write(make({ at: clock.now() - 30 * day - 1_200 + at }))
  const young = make({ at: clock.now() - 30 * day + minute })
  wide.write(young)
  await Promise.all([wide.flush(), pass(500)])
  const end = keepFor({ database: inner, clock, log: (line) => logged.push(line), days: 30 })
  await pass(100)
  expect((await inner.all('SELECT id FROM requests')).length).toBe(701)
  await pass(200)
  expect(await inner.all('SELECT id FROM requests')).toEqual([{ id: young.id }])
  expect((await inner.all('SELECT sum(requests) AS n FROM usage'))[0]).toEqual({ n: 1_201 })
  await pass(50)
  end()
  expect([clock.waiting, logged]).toEqual([0, []])
})
