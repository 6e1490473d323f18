import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import { openPostgres } from '../../src/node/postgres.ts'
import { StoreError, type TransactionalDatabase } from '../../src/state/database.ts'
import type { Granted } from '../../src/state/meters.ts'
import { budget } from '../support/holds.ts'
import { postgresPlace } from '../support/meters.ts'
import { postgresForTests } from '../support/postgres-for-tests.ts'

const postgres = await postgresForTests()
const noServer = { database: () => Promise.reject<string>(new Error('PostgreSQL is not installed')) }

describe.skipIf(!postgres)('A database of PostgreSQL', () => {
  const opened: TransactionalDatabase[] = []
  let url: string

  async function open(patience?: number): Promise<TransactionalDatabase> {
    const database = await openPostgres(url, { clock: systemClock, ...(patience && { patience }) })
    opened.push(database)
    return database
  }

  beforeEach(async () => {
    url = await (postgres ?? noServer).database()
    await (await open()).all('CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT) STRICT')
  })
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((database) => database.close()))
  })

  it('tries a batch again that was ended because two waited for each other', async () => {
    const [one, other] = [await open(), await open()]
    await one.all("INSERT INTO t VALUES (1, ''), (2, '')")
    const add = (row: number, what: string) => ({
      sql: 'UPDATE t SET b = b || ?2 WHERE a = ?1 RETURNING a',
      values: [row, what],
    })
    const pause = { sql: 'SELECT CAST(pg_sleep(0.2) AS TEXT) AS slept' }
    await Promise.all([one.batch([add(1, 'x'), pause, add(2, 'x')]), other.batch([add(2, 'y'), pause, add(1, 'y')])])
    const rows = await one.all('SELECT b FROM t ORDER BY a')
    expect(rows.map(({ b }) => [...String(b)].sort().join(''))).toEqual(['xy', 'xy'])
  })

  it('gives up what takes too long, and lets it write nothing afterwards', async () => {
    // To connect may take that long, too.
    const openHasty = (): ReturnType<typeof open> => open(200).catch(openHasty)
    const [hasty, other] = [await openHasty(), await open()]
    const slow = hasty.transaction(async (inside) => {
      await inside.all("INSERT INTO t VALUES (1, '')")
      await inside.all('SELECT CAST(pg_sleep(0.5) AS TEXT) AS slept')
      await inside.all("INSERT INTO t VALUES (2, '')")
    })
    await expect(slow).rejects.toThrow('took too long')
    // Its turn comes when the other's transaction is over.
    await other.transaction(async () => {})
    expect(await other.all('SELECT a FROM t')).toEqual([])
  })

  it('orders texts by their bytes, and takes those that it cannot keep for something like them', async () => {
    const database = await open()
    const texts = ['b', 'a', 'B', '\0', '_']
    for (const [index, text] of texts.entries()) await database.all('INSERT INTO t VALUES (?1, ?2)', [index, text])
    const rows = await database.all('SELECT b FROM t ORDER BY b')
    expect(rows.map(({ b }) => b)).toEqual(['B', '_', 'a', 'b', '\ufffd'])
  })
})

describe.skipIf(!postgres)('Meters whose connections are cut', () => {
  it('book every request once all the same', async () => {
    if (!postgres) throw new Error('PostgreSQL is not installed')
    const place = await postgresPlace(postgres)
    const [meters, operator] = [await place.join(), await place.connect()]
    const meter = budget(1_000_000_000_000)
    const grants: Granted[] = []
    let failures = 0
    const client = async () => {
      // Some are cut off in the middle.
      while (failures < 3) {
        try {
          // More than is leased ahead.
          const grant = await meters.reserve([{ meter, amount: 10_000_000_000 }])
          if (!grant.granted) throw new Error('all was spent before anything was cut off')
          grants.push(grant)
        } catch (error) {
          expect(error).toBeInstanceOf(StoreError)
          failures++
        }
        await new Promise((turn) => setTimeout(turn, 1))
      }
    }
    const cutting = async () => {
      while (failures < 3) {
        const others = "application_name = 'samewire' AND pid <> pg_backend_pid()"
        await operator.all(
          `SELECT CAST(pg_terminate_backend(pid) AS TEXT) AS cut FROM pg_stat_activity WHERE ${others}`,
        )
        await new Promise((turn) => setTimeout(turn, 2))
      }
    }
    await Promise.all([cutting(), ...Array.from({ length: 5 }, client)])
    for (const grant of grants) grant.settle([10])
    const spent = 10 * grants.length
    await expect.poll(() => meters.read(meter)).toEqual({ spent, held: 0, lost: 0 })
    await place.close()
  })
})
