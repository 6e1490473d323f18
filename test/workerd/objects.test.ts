import { env } from 'cloudflare:workers'
import { describe } from 'vitest'
import type { Database } from '../../src/state/database.ts'
import { limitsOfD1 } from '../../src/state/object-store.ts'
import type { D1 } from '../../src/workers/bindings.ts'
import { openD1 } from '../../src/workers/d1.ts'
import { testObjects } from '../state/objects-suite.ts'

async function emptied(): Promise<Database> {
  const database = openD1(env.DB as unknown as D1)
  await database.batch(['objects', 'items', 'secrets', 'keys'].map((table) => ({ sql: `DELETE FROM ${table}` })))
  return database
}

describe('In D1', () => testObjects(emptied, limitsOfD1))
