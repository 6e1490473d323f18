import type { AdminState } from '../../src/admin/state.ts'
import { type Clock, systemClock } from '../../src/core/clock.ts'
import { openSqlite } from '../../src/node/sqlite.ts'
import type { TransactionalDatabase } from '../../src/state/database.ts'
import { openKeyRing } from '../../src/state/key-ring.ts'
import { createKeyStore } from '../../src/state/key-store.ts'
import { createLedger, type LedgerWriter } from '../../src/state/ledger-writer.ts'
import type { Reading } from '../../src/state/meters.ts'
import { migrate } from '../../src/state/migrate.ts'
import { openProjects, type ProjectBook } from '../../src/state/project-store.ts'
import { SlicedMeters } from '../../src/state/sliced-meters.ts'
import { createUsage } from '../../src/state/usage.ts'
import { secure } from './rows.ts'

export { rowMaker, secure } from './rows.ts'

/** A database with all tables, in memory. */
export async function memoryDatabase(): Promise<TransactionalDatabase> {
  const database = await openSqlite(':memory:', { clock: systemClock })
  await migrate(database)
  return database
}

export interface KeptState extends AdminState {
  readonly database: TransactionalDatabase
  readonly ledger: LedgerWriter
  readonly meters: SlicedMeters
  readonly projectBook: ProjectBook
  /** Writes what a meter says that nobody has used yet. */
  book(subject: string, window: number, reading: Reading): Promise<void>
  readonly logged: string[]
  close(): Promise<void>
}

/** All that a gateway keeps, in memory. */
export async function keptState(clock: Clock = systemClock): Promise<KeptState> {
  const database = await memoryDatabase()
  const logged: string[] = []
  const log = (line: string) => void logged.push(line)
  const ring = await openKeyRing({ database, clock, log })
  const book = await openProjects({ database, clock, log, secure })
  // Its rounds take time, which nobody lets pass for them on a clock of the tests.
  const meters = new SlicedMeters(database, { clock: systemClock, owner: 'these tests' })
  return {
    database,
    ledger: createLedger({ database, clock, log }),
    logged,
    keys: createKeyStore({ database, clock, secure, changed: ring.refresh }),
    holders: ring,
    projects: book.store,
    projectBook: book,
    usage: createUsage(database, clock),
    meters,
    async book(subject, window, { spent, held, lost }) {
      const sql = 'INSERT INTO meters (subject, since, spent, held, lost) VALUES (?1, ?2, ?3, ?4, ?5)'
      await database.all(sql, [subject, window, spent, held, lost])
    },
    clock,
    async close() {
      ring.close()
      book.close()
      await meters.close()
      await database.close()
    },
  }
}
