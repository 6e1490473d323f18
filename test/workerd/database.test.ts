import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import type { Database } from '../../src/state/database.ts'
import { migrations } from '../../src/state/migrations/all.ts'
import { limitsOfD1 } from '../../src/state/object-store.ts'
import type { D1 } from '../../src/workers/bindings.ts'
import { openD1 } from '../../src/workers/d1.ts'
import { testEngine } from '../state/engine-suite.ts'
import { testObjects } from '../state/objects-suite.ts'

const binding = env.DB as unknown as D1

/** Two isolates' ways to the same database, which has nothing in it. */
async function emptied(): Promise<readonly Database[]> {
  const [one, other] = [openD1(binding), openD1(binding)]
  await one.batch(
    ['secrets', 'keys', 'requests', 'usage', 'spending'].map((table) => ({ sql: `DELETE FROM ${table}` })),
  )
  return [one, other]
}

describe('In D1', () => {
  testEngine(emptied)

  it('tables are made by whoever comes first, at once', async () => {
    const all = Array.from({ length: 5 }, () => openD1(binding))
    await Promise.all(all.map((database) => database.all('SELECT count(*) AS n FROM projects')))
    expect(await openD1(binding).all('SELECT number FROM migrations ORDER BY number')).toEqual(
      migrations.map((_, at) => ({ number: at + 1 })),
    )
  })

  it('bytes and large whole numbers come back as they were', async () => {
    const body = Uint8Array.from([0, 1, 254, 255])
    const database = openD1(binding)
    const sql = 'INSERT INTO cache (id, tenant, until, size, stream, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6) RETURNING *'
    const [row] = await database.all(sql, ['a', 't', Number.MAX_SAFE_INTEGER, 4, 0, body])
    expect(row).toMatchObject({ until: Number.MAX_SAFE_INTEGER, body })
  })

  it('all of a batch is written or nothing', async () => {
    const database = openD1(binding)
    const insert = { sql: 'INSERT INTO owners (owner, beat) VALUES (?1, 1)', values: ['same'] }
    await expect(database.batch([insert, insert])).rejects.toMatchObject({ name: 'StoreError', busy: false })
    expect(await database.all('SELECT * FROM owners')).toEqual([])
  })
})

async function withoutObjects(): Promise<Database> {
  const database = openD1(binding)
  await database.batch(['objects', 'items', 'secrets', 'keys'].map((table) => ({ sql: `DELETE FROM ${table}` })))
  return database
}

describe('Objects in D1', () => testObjects(withoutObjects, limitsOfD1))
