import { describe, expect, it } from 'vitest'
import type { Database } from '../../src/state/database.ts'
import { StoreError } from '../../src/state/database.ts'
import { EndUsers } from '../../src/state/rollups.ts'
import { createRequestLedger, writeRows } from '../../src/workers/request-ledger.ts'
import { ManualClock } from '../support/gateway.ts'
import { memoryDatabase, rowMaker } from '../support/state.ts'

const make = rowMaker()
const now = new ManualClock().now()
const day = 24 * 60 * 60 * 1000

interface Fate {
  /** How often it fails from now on. */
  failures: number
  /** Whether it does what it says to have failed to do. */
  isSilent: boolean
}

/** A database that fails now and then. */
async function unsteady() {
  const fate: Fate = { failures: 0, isSilent: false }
  const steady = await memoryDatabase()
  const database: Database = {
    all: (sql, values) => steady.all(sql, values),
    close: () => steady.close(),
    async batch(statements) {
      if (fate.failures-- <= 0) return await steady.batch(statements)
      if (fate.isSilent) await steady.batch(statements)
      throw new StoreError('D1 is overloaded', { busy: true })
    },
  }
  const count = async (what: string) => Number((await steady.all(`SELECT ${what} AS n FROM requests`))[0]?.n)
  const sum = async () => Number((await steady.all('SELECT sum(requests) AS n FROM usage'))[0]?.n)
  return { fate, database, rows: () => count('count(*)'), sum }
}

/** A ledger of which tries come at once. */
function ledgerOf(database: Database, queue?: { send(message: unknown): Promise<unknown> }) {
  const clock = new ManualClock()
  const logged: string[] = []
  const soon = {
    now: () => clock.now(),
    after(_: number, action: () => void) {
      action()
      return () => {}
    },
  }
  const ledger = createRequestLedger({ database, clock: soon, log: (line) => void logged.push(line), days: 30, queue })
  return { ledger, clock, logged }
}

describe('A Worker that writes down a request', () => {
  it('tries again until the database takes it, and counts it once even if that had taken it before', async () => {
    for (const isSilent of [false, true]) {
      const { fate, database, rows, sum } = await unsteady()
      const { ledger, logged } = ledgerOf(database)
      Object.assign(fate, { failures: isSilent ? 1 : 3, isSilent })
      ledger.write(make({ at: now }))
      await ledger.flush()
      expect([await rows(), await sum(), logged]).toEqual([1, 1, []])
    }
  })

  it('leaves it to the next request if the database goes on failing, and says so', async () => {
    const { fate, database, rows, sum } = await unsteady()
    const { ledger, logged } = ledgerOf(database)
    fate.failures = 4
    ledger.write(make({ at: now }))
    await ledger.flush()
    expect([await rows(), logged]).toEqual([0, ["The ledger can't be written, so its rows wait: D1 is overloaded"]])
    ledger.write(make({ at: now + 1 }))
    await ledger.flush()
    expect([await rows(), await sum()]).toEqual([2, 2])
  })

  it('keeps a thousand that wait, and says how many it gave up', async () => {
    const { fate, database, rows } = await unsteady()
    const { ledger, logged } = ledgerOf(database)
    fate.failures = Number.POSITIVE_INFINITY
    for (let n = 0; n < 1_040; n++) ledger.write(make({ at: now + n }))
    await ledger.flush()
    expect(logged.at(-1)).toBe('The ledger has no room: 32 rows were given up so far.')
    fate.failures = 0
    await ledger.flush()
    expect(await rows()).toBe(1_008)
  })

  it('sends rows to a queue in messages that it takes', async () => {
    const { database, rows } = await unsteady()
    const sent: string[] = []
    const send = async (message: unknown) => void sent.push(JSON.stringify(message))
    const { ledger } = ledgerOf(database, { send })
    for (let n = 0; n < 20; n++) ledger.write(make({ at: now + n, attempts: JSON.stringify(['x'.repeat(16_000)]) }))
    await ledger.flush()
    expect(await rows()).toBe(0)
    expect(sent).toHaveLength(10)
    for (const message of sent) expect(message.length).toBeLessThan(42_000)
  })

  it('has a message that comes twice written once', async () => {
    const { database, rows, sum } = await unsteady()
    const all = [make({ at: now }), make({ at: now + 1 })]
    await writeRows(database, all.slice(0, 1), new EndUsers())
    for (let n = 0; n < 2; n++) await writeRows(database, all, new EndUsers())
    expect([await rows(), await sum()]).toEqual([2, 2])
  })

  it('deletes what is too old now and then', async () => {
    const { database, rows } = await unsteady()
    const { ledger, clock } = ledgerOf(database)
    ledger.write(make({ at: clock.now() - 31 * day }))
    await ledger.flush()
    expect(await rows()).toBe(0)
    ledger.write(make({ at: clock.now() - 31 * day }))
    await ledger.flush()
    expect(await rows()).toBe(1)
    await clock.advance(10 * 60 * 1000)
    ledger.write(make({ at: clock.now() }))
    await ledger.flush()
    expect(await rows()).toBe(1)
  })

  it('has what clients stored forgotten as well, with each request while there is more', async () => {
    const { database } = await unsteady()
    const clock = new ManualClock()
    const left = [true, false]
    const asked: number[] = []
    const forget = async (now: number) => {
      asked.push(now)
      return left.shift() ?? false
    }
    const ledger = createRequestLedger({ database, clock, log: () => {}, days: 30, forget })
    for (let n = 0; n < 4; n++) {
      ledger.write(make({ at: clock.now() }))
      await ledger.flush()
    }
    expect(asked).toEqual([now, now].map(Math.floor))
  })
})
