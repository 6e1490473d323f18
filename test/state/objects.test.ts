import { afterAll, describe } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import { openDatabase } from '../../src/node/database.ts'
import type { Database } from '../../src/state/database.ts'
import { migrate } from '../../src/state/migrate.ts'
import { startPostgres } from '../support/postgres.ts'
import { memoryDatabase } from '../support/state.ts'
import { testObjects } from './objects-suite.ts'

const server = await startPostgres()
afterAll(() => server?.stop())

const engines: Readonly<Record<string, () => Promise<Database>>> = {
  SQLite: memoryDatabase,
  ...(server && {
    async PostgreSQL() {
      const database = await openDatabase(await server.database(), { clock: systemClock })
      await migrate(database)
      return database
    },
  }),
}

describe.each(Object.entries(engines))('In %s', (_, open) => testObjects(open))
