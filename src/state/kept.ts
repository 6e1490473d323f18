import type { Clock } from '../core/clock.ts'
import type { Log } from '../core/log.ts'
import { dollarsOf } from '../prices/money.ts'
import { type Budgeted, type BudgetLeft, budgetsLeft } from './budgets.ts'
import type { TransactionalDatabase } from './database.ts'
import { openKeyRing } from './key-ring.ts'
import { createKeyStore } from './key-store.ts'
import { createLedger } from './ledger-writer.ts'
import { migrate } from './migrate.ts'
import { createObjects } from './object-store.ts'
import { openProjects } from './project-store.ts'
import { keepFor } from './retention.ts'
import { hexOf, type SecureBytes } from './secret.ts'
import { SlicedMeters } from './sliced-meters.ts'
import { createUsage } from './usage.ts'

export interface KeptOptions {
  readonly clock: Clock
  readonly log: Log
  readonly secure: SecureBytes
  /** For how many days the rows of requests are kept. Default 30. */
  readonly days?: number | undefined
}

/** What the metrics tell of what a process keeps. */
export interface Figures {
  /** Rows of the ledger that this process has written, has given up, and has still to write. */
  rows(): { readonly written: number; readonly dropped: number; readonly waiting: number }
  /** What was booked for processes that died, as this one has found, in nano-dollars. */
  lost(): number
  /** Those that are nearest to their end, of `keys` and of all that are kept. Rejects with a `StoreError`. */
  budgets(keys: Budgeted['keys'], most: number): Promise<readonly BudgetLeft[]>
}

export type Kept = Awaited<ReturnType<typeof openKept>>

/** All that one process of a gateway keeps in a database. Rejects with a `StoreError`, and leaves the database open. */
export async function openKept(database: TransactionalDatabase, { clock, log, secure, days = 30 }: KeptOptions) {
  await migrate(database)
  const ring = await openKeyRing({ database, clock, log })
  const projectBook = await openProjects({ database, clock, log, secure })
  const ledger = createLedger({ database, clock, log })
  let lostSoFar = 0
  const lost = (amount: number) => {
    lostSoFar += amount
    log(`A process ended before it settled: $${dollarsOf(amount)} were booked for what it had begun.`, 'warn')
  }
  const untold = (amount: number) =>
    log(`$${dollarsOf(amount)} could not be charged to budgets, and are in the ledger only, if it is written.`, 'error')
  const meters = new SlicedMeters(database, { clock, owner: hexOf(secure(16)), lost, untold })
  meters.watch()
  const objects = createObjects(database)
  const endRetention = keepFor({ database, clock, log, days, objects })
  return {
    keys: createKeyStore({ database, clock, secure, changed: ring.refresh }),
    holders: ring,
    projects: projectBook.store,
    /** Those at hand. */
    projectBook,
    meters,
    ledger,
    usage: createUsage(database, clock),
    objects,
    clock,
    database,
    figures: {
      rows: () => ({ written: ledger.written, dropped: ledger.dropped, waiting: ledger.waiting }),
      lost: () => lostSoFar,
      budgets: (keys, most) =>
        budgetsLeft({ keys: [...keys, ...ring.all()], projects: projectBook.all() }, { database, clock, most }),
    } satisfies Figures,
    /** Writes what is not yet written, gives back what is not used, and closes the database. Never rejects. */
    async close(): Promise<void> {
      endRetention()
      ring.close()
      projectBook.close()
      await Promise.all([meters.close(), ledger.close()])
      await database.close().catch(() => {})
    },
  }
}
