import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import { openSqlite } from '../../src/node/sqlite.ts'
import { StoreError, type TransactionalDatabase } from '../../src/state/database.ts'
import { migrate } from '../../src/state/migrate.ts'

let folder: string
let path: string
const opened: TransactionalDatabase[] = []

async function open(options: { patience?: number; file?: string } = {}): Promise<TransactionalDatabase> {
  const { file = path, ...rest } = options
  const database = await openSqlite(file, { clock: systemClock, ...rest })
  opened.push(database)
  return database
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sqlite-'))
  path = join(folder, 'state.db')
})

afterEach(async () => {
  await Promise.all(opened.splice(0).map((database) => database.close().catch(() => {})))
  await rm(folder, { recursive: true })
})

const table = 'CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT, c BLOB) STRICT'
const insert = 'INSERT INTO t VALUES (?1, ?2, ?3)'

describe('A database in a file', () => {
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
    expect(await database.all('SELECT ?1 AS a, typeof(?1) AS b', [5])).toEqual([{ a: 5, b: 'integer' }])
  })

  it('refuses whole numbers that JavaScript would round', async () => {
    const database = await open()
    await database.all(table)
    await database.all(insert, [Number.MAX_SAFE_INTEGER, null, null])
    await expect(database.all('SELECT a + 2 AS a FROM t')).rejects.toThrow(StoreError)
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

  it('waits for a lock without blocking the process, and no longer than it may', async () => {
    const [patient, hasty] = [await open(), await open({ patience: 30 })]
    await patient.all(table)
    const holder = new DatabaseSync(path)
    holder.exec('BEGIN IMMEDIATE')
    const waiting = patient.all(insert, [1, null, null])
    const refused = await hasty.all(insert, [2, null, null]).catch((error: unknown) => error)
    expect(refused).toMatchObject({ name: 'StoreError', busy: true })
    holder.exec('COMMIT')
    holder.close()
    await waiting
    expect(await patient.all('SELECT a FROM t')).toEqual([{ a: 1 }])
  })

  it('says that the disk is full, and works again when it is not', async () => {
    const database = await open()
    await database.all(table)
    await database.all('PRAGMA max_page_count = 10')
    const large = [1, 'x'.repeat(100_000), null]
    await expect(database.batch([{ sql: insert, values: large }])).rejects.toThrow('the disk is full')
    await database.all('PRAGMA max_page_count = 10000')
    await database.batch([{ sql: insert, values: large }])
    expect(await database.all('SELECT a FROM t')).toEqual([{ a: 1 }])
  })

  it('says that its file is gone instead of writing where nobody reads', async () => {
    const database = await open()
    await database.all(table)
    await rename(path, `${path}.away`)
    await expect(database.all(insert, [1, null, null])).rejects.toThrow('deleted or replaced')
    await rename(`${path}.away`, path)
    await database.all(insert, [1, null, null])
  })

  it('says what is wrong with a file that it cannot use', async () => {
    const text = join(folder, 'text')
    await writeFile(text, 'no database, '.repeat(1000))
    await expect(open({ file: text })).rejects.toThrow(`${text} is no SQLite database`)
    await expect(open({ file: join(folder, 'missing', 'state.db') })).rejects.toThrow('its folder has to exist')
  })

  it('says that it cannot write', async () => {
    const database = await open()
    await database.all(table)
    await database.all('PRAGMA query_only = 1')
    await expect(database.all(insert, [1, null, null])).rejects.toThrow('can only be read')
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
    const [row] = await (await open()).all("SELECT COUNT(*) AS count FROM sqlite_schema WHERE name = 'meters'")
    expect(row).toEqual({ count: 1 })
  })

  it('are run by several processes at once', async () => {
    const code = `
      import { systemClock } from './src/core/clock.ts'
      import { openSqlite } from './src/node/sqlite.ts'
      import { migrate } from './src/state/migrate.ts'
      await migrate(await openSqlite(process.argv[1], { clock: systemClock }))`
    const children = Array.from({ length: 3 }, () =>
      spawn(process.execPath, ['--input-type=module-typescript', '--eval', code, path], { stdio: 'inherit' }),
    )
    const codes = await Promise.all(children.map((child) => once(child, 'exit')))
    expect(codes.map(([exit]) => exit)).toEqual([0, 0, 0])
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
