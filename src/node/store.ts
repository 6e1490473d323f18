import { randomBytes } from 'node:crypto'
import type { AdminState } from '../admin/state.ts'
import type { StateSettings } from '../config/state.ts'
import type { Services } from '../core/services.ts'
import { StoreError } from '../state/database.ts'
import { openKeyRing } from '../state/key-ring.ts'
import { createKeyStore } from '../state/key-store.ts'
import type { Ledger } from '../state/ledger.ts'
import { createLedger } from '../state/ledger-writer.ts'
import { migrate } from '../state/migrate.ts'
import { keepFor } from '../state/retention.ts'
import { SlicedMeters } from '../state/sliced-meters.ts'
import { createUsage } from '../state/usage.ts'
import { openDatabase } from './database.ts'

/** A database with all that is kept in it. */
export interface Store extends AdminState {
  readonly meters: SlicedMeters
  readonly ledger: Ledger
  /** Writes what isn't written yet. Never rejects. */
  close(): Promise<void>
}

/** Opens a database and brings it up to date. Rejects with a `StoreError`. */
export async function openStore(
  { kind, where, retention }: StateSettings,
  { clock, log }: Pick<Services, 'clock' | 'log'>,
): Promise<Store> {
  if (kind === 'd1') throw new StoreError('d1 is for Workers; a program on Node has a file or PostgreSQL')
  const database = await openDatabase(kind === 'sqlite' ? `file:${where}` : where, { clock })
  try {
    await migrate(database)
    const ring = await openKeyRing({ database, clock, log })
    const keys = createKeyStore({ database, clock, secure: randomBytes, changed: () => ring.refresh() })
    const ledger = createLedger({ database, clock, log })
    const owner = `${process.pid}-${randomBytes(8).toString('hex')}`
    const lost = (amount: number) =>
      log(`A process ended before it settled: $${amount / 1e9} were booked for what it had begun.`, 'warn')
    const meters = new SlicedMeters(database, { clock, owner, lost })
    const forget = keepFor({ database, clock, log, days: retention })
    return {
      ...{ keys, holders: ring, usage: createUsage(database, clock), meters, ledger, clock },
      async close() {
        forget()
        ring.close()
        await Promise.all([ledger.close(), meters.close()])
        await database.close().catch(() => {})
      },
    }
  } catch (error) {
    await database.close().catch(() => {})
    throw error
  }
}
