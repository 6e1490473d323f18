import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import { openDatabase } from '../../src/node/database.ts'
import { StoreError, type TransactionalDatabase } from '../../src/state/database.ts'
import { migrate } from '../../src/state/migrate.ts'
import { postgresForTests } from '../support/postgres-for-tests.ts'

interface Engine {
  /** The URL of a new database. */
  make(): Promise<{ readonly url: string; remove(): Promise<void> }>
}

async function makeFile() {
  const folder = await mkdtemp(join(tmpdir(), 'database-'))
  return { url: `file:${join(folder, 'state.db')}`, remove: () => rm(folder, { recursive: true }) }
}

const postgres = await postgresForTests()
const engines: Readonly<Record<string, Engine>> = {
  SQLite: { make: makeFile },
  ...(postgres && { PostgreSQL: { make: async () => ({ url: await postgres.database(), remove: async () => {} }) } }),
}

const table = 'CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT, c BLOB) STRICT'
const insert = 'INSERT INTO t VALUES (?1, ?2, ?3)'

describe.each(Object.entries(engines))('In %s', (_, { make }) => {
  let made: Awaited<ReturnType<typeof make>>
  const opened: TransactionalDatabase[] = []

  async function open(): Promise<TransactionalDatabase> {
    const database = await openDatabase(made.url, { clock: systemClock })
    opened.push(database)
    return database
  }

  beforeEach(async () => {
    made = await make()
  })
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((database) => database.close().catch(() => {})))
    await made.remove()
  })

  describe('A database', () => {
    it('gives back what was written, exactly', async () => {
      const database = await open()
      await database.all(table)
      const bytes = new Uint8Array([0, 255])
      await database.all(insert, [Number.MAX_SAFE_INTEGER, "it's", bytes])
      await database.all(insert, [-1, null, null])
      const { MAX_SAFE_INTEGER: a } = Number
      expect(await database.all('SELECT * FROM t ORDER BY a')).toEqual([
        { a: -1, b: null, c: null },
        { a, b: "it's", c: bytes },
      ])
    })

    it('refuses whole numbers that JavaScript would round', async () => {
      const database = await open()
      await database.all(table)
      await database.all(insert, [Number.MAX_SAFE_INTEGER, null, null])
      await expect(database.all('SELECT a + 2 AS a FROM t')).rejects.toThrow(StoreError)
      expect(await database.all('SELECT a FROM t')).toEqual([{ a: Number.MAX_SAFE_INTEGER }])
    })

    it('is found by others who open the same file', async () => {
      const [one, other] = [await open(), await open()]
      await one.all(table)
      await one.all(insert, [1, 'x', null])
      expect(await other.all('SELECT b FROM t')).toEqual([{ b: 'x' }])
    })

    it('runs all statements of a batch or none', async () => {
      const database = await open()
      await database.all(table)
      const again = { sql: insert, values: [1, null, null] }
      await expect(database.batch([again, again])).rejects.toThrow(StoreError)
      expect(await database.all('SELECT * FROM t')).toEqual([])
      const rows = await database.batch([again, { sql: 'SELECT a FROM t' }])
      expect(rows).toEqual([[], [{ a: 1 }]])
    })

    it('keeps statements out of a transaction that another has begun', async () => {
      const database = await open()
      await database.all(table)
      const goOn = Promise.withResolvers<void>()
      const failed = database.transaction(async (inside) => {
        await inside.all(insert, [1, null, null])
        await goOn.promise
        throw new Error('changed its mind')
      })
      const written = database.all(insert, [2, null, null])
      goOn.resolve()
      await expect(failed).rejects.toThrow('changed its mind')
      await written
      expect(await database.all('SELECT a FROM t')).toEqual([{ a: 2 }])
    })

    it('runs no statement of a transaction after its end', async () => {
      const database = await open()
      const inside = await database.transaction(async (statements) => statements)
      await expect(inside.all('SELECT 1')).rejects.toThrow(StoreError)
    })

    it('is refused once it is closed', async () => {
      const database = await open()
      await database.close()
      await expect(database.all('SELECT 1')).rejects.toThrow('is closed')
    })
  })

  describe('Migrations', () => {
    it('are run once, whoever comes first', async () => {
      const databases = await Promise.all([open(), open(), open(), open()])
      await Promise.all(databases.map((database) => migrate(database)))
      await migrate(await open())
      expect(await (await open()).all('SELECT * FROM meters')).toEqual([])
    })

    it('go on from where an older version stopped, and never back', async () => {
      const database = await open()
      const second = ['CREATE TABLE more (a INTEGER) STRICT']
      await migrate(database, [[table]])
      await migrate(database, [[table], second])
      await database.all('SELECT * FROM more')
      await expect(migrate(database, [[table]])).rejects.toThrow('newer version')
    })

    it('leave nothing behind where one fails', async () => {
      const database = await open()
      await expect(migrate(database, [[table, 'nonsense']])).rejects.toThrow(StoreError)
      await migrate(database, [[table]])
    })
  })
})

describe('A URL', () => {
  it('names an engine that the gateway knows', async () => {
    const opening = openDatabase('mysql://localhost/state', { clock: systemClock })
    await expect(opening).rejects.toThrow('begins with file: or with postgres://')
  })

  it('keeps its password to itself where the server cannot be reached', async () => {
    const opening = openDatabase('postgres://ada:secret@127.0.0.1:1/state', { clock: systemClock })
    const error = await opening.catch((error: unknown) => error)
    expect(error).toBeInstanceOf(StoreError)
    expect(String(error)).toMatch(/^StoreError: postgres:\/\/127.0.0.1:1\/state can't be reached: (?!.*secret)/)
  })
})
