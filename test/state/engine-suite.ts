import { afterEach, beforeEach, expect, it } from 'vitest'
import { type Clock, systemClock } from '../../src/core/clock.ts'
import type { Database } from '../../src/state/database.ts'
import { openKeyRing } from '../../src/state/key-ring.ts'
import { createKeyStore, type KeyTerms } from '../../src/state/key-store.ts'
import { createLedger } from '../../src/state/ledger-writer.ts'
import { keepFor } from '../../src/state/retention.ts'
import { digestOf } from '../../src/state/secret.ts'
import { createUsage } from '../../src/state/usage.ts'
import { rowMaker, secure } from '../support/rows.ts'

const terms: KeyTerms = {
  name: "O'Hara \u{1F511}",
  disabled: false,
  limits: { rpm: 3, budget: 8e15 },
  metadata: { a: '\0' },
}
const minute = 60_000
const day = 24 * 60 * minute
const midnight = Date.now() - (Date.now() % day)
const log = (line: string) => {
  throw new Error(line)
}

/**
 * What is kept in a database, whatever engine it has. `open` opens two connections to the same new one, or returns the only
 * one twice.
 */
export function testEngine(open: () => Promise<readonly Database[]>): void {
  let all: readonly Database[]
  let mine: Database
  let theirs: Database

  beforeEach(async () => {
    all = await open()
    ;[mine, theirs] = all as [Database, Database]
  })
  afterEach(async () => {
    await Promise.all([...new Set(all)].map((database) => database.close()))
  })

  it('keys are made, found, changed, rotated, listed and deleted', async () => {
    const ring = await openKeyRing({ database: theirs, clock: systemClock, log })
    const store = createKeyStore({ database: mine, clock: systemClock, secure, changed: ring.refresh })
    const { key, secret } = await store.create({ ...terms, project: 'p', expiresAt: midnight + day })
    const digest = await digestOf(secret)
    expect(ring.known(digest)).toEqual(key)
    expect(key).toMatchObject({ ...terms, project: 'p', expiresAt: midnight + day })
    await Promise.all(
      ['a', 'b', 'c'].map((name) =>
        store.update(key.id, (now) => ({ ...now, metadata: { ...now.metadata, [name]: 1 } })),
      ),
    )
    expect((await store.get(key.id))?.metadata).toEqual({ a: 1, b: 1, c: 1 })
    const rotated = await store.rotate(key.id, minute)
    expect([digest, await digestOf(rotated?.secret ?? '')].map((one) => ring.known(one)?.id)).toEqual([key.id, key.id])
    await store.rotate(key.id, 0)
    expect(ring.known(digest)).toBeUndefined()
    const query = { disabled: true, offset: 0, limit: 10 }
    expect((await store.list({ ...query, project: 'p' })).map(({ id }) => id)).toEqual([key.id])
    expect(await store.list({ ...query, project: 'q', user: 'u' })).toEqual([])
    expect([await store.remove(key.id), await store.list(query)]).toEqual([true, []])
    ring.close()
  })

  it('rows are written by several at once, and their sums are those of all', async () => {
    const make = rowMaker()
    const ledgers = [mine, theirs].map((database) => createLedger({ database, clock: systemClock, log: () => {} }))
    const rows = Array.from({ length: 400 }, (_, at) =>
      make({
        at: midnight + at,
        key: `key_${at % 7}`,
        model: `m${at % 3}`,
        cost: at % 2 ? 2 ** 40 + at : null,
        booked: 2 ** 40 + at,
        stream: at % 2 === 0,
        ...(at % 10 === 0 && { outcome: 'cut' as const, endUser: 'eve\0' }),
      }),
    )
    for (const [at, row] of rows.entries()) ledgers[at % 2]?.write(row)
    while ((await Promise.all(ledgers.map((ledger) => ledger.flush()))) && (await count('requests')) < 400);
    const usage = createUsage(theirs, { ...systemClock, now: () => midnight + day - 1 })
    const booked = rows.reduce((sum, row) => sum + row.booked, 0)
    const range = { from: midnight, to: midnight + day, only: {} }
    const whole = { requests: 400, errors: 40, booked, unpriced: 200, input: 4_000 }
    expect(await usage.sums({ ...range, width: day, groups: [] })).toMatchObject([whole])
    const [byMinute] = await usage.sums({ ...range, to: midnight + minute, width: minute, groups: [] })
    expect(byMinute).toMatchObject(whole)
    const groups = await usage.sums({ ...range, width: day, groups: ['key', 'endUser'], only: { model: ['m1', 'm2'] } })
    expect(groups.reduce((sum, { requests }) => sum + requests, 0)).toBe(
      rows.filter(({ model }) => model !== 'm0').length,
    )
    expect(groups.some(({ group }) => group.endUser === 'eve\ufffd')).toBe(true)
    const spent = await usage.spending(['key_1', 'nobody'])
    const total = rows.filter(({ key }) => key === 'key_1').reduce((sum, row) => sum + row.booked, 0)
    expect([...spent]).toEqual([['key_1', { total, daily: total, weekly: total, monthly: total }]])
    const ids = rows.map(({ id }) => id).reverse()
    expect((await usage.rows({ limit: 300, before: ids[0] })).map(({ id }) => id)).toEqual(ids.slice(1, 301))
    expect(await usage.rows({ limit: 100, key: 'key_2' })).toHaveLength(57)
    const cut = rows[10]
    expect(await usage.row(cut?.id ?? '')).toEqual({ ...cut, endUser: 'eve\ufffd' })
  })

  it('rows are deleted once they are too old', async () => {
    const now = Math.floor(systemClock.now())
    let due: (() => void) | undefined
    const clock: Clock = {
      now: () => now,
      after(_, look) {
        due = look
        return () => {}
      },
    }
    const make = rowMaker()
    const ledger = createLedger({ database: mine, clock: systemClock, log })
    for (const at of [-2 * day, -day - 1, -day + 1]) ledger.write(make({ at: now + at }))
    await ledger.close()
    const end = keepFor({ database: mine, clock, log, days: 1 })
    due?.()
    while ((await count('requests')) > 1);
    expect(await count('usage')).toBeGreaterThan(0)
    end()
  })

  const count = async (table: string) => Number((await mine.all(`SELECT count(*) AS n FROM ${table}`))[0]?.n)
}
