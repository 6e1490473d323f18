import { afterAll, describe } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import { openDatabase } from '../../src/node/database.ts'
import type { TransactionalDatabase } from '../../src/state/database.ts'
import { migrate } from '../../src/state/migrate.ts'
import { startPostgres } from '../support/postgres.ts'
import { memoryDatabase } from '../support/state.ts'
import { testEngine } from './engine-suite.ts'

const server = await startPostgres()
afterAll(() => server?.stop())

const engines: Readonly<Record<string, () => Promise<readonly TransactionalDatabase[]>>> = {
  async SQLite() {
    const database = await memoryDatabase()
    return [database, database]
  },
  ...(server && {
    async PostgreSQL() {
      const url = await server.database()
      const databases = await Promise.all([1, 2].map(() => openDatabase(url, { clock: systemClock })))
      await Promise.all(databases.map((database) => migrate(database)))
      return databases
    },
  }),
}

describe.each(Object.entries(engines))('In %s', (_, open) => testEngine(open))
