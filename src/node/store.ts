import { randomBytes } from 'node:crypto'
import type { StateSettings } from '../config/state.ts'
import type { Services } from '../core/services.ts'
import { StoreError } from '../state/database.ts'
import { type Kept, openKept } from '../state/kept.ts'
import { openDatabase } from './database.ts'

/** Opens a database and brings it up to date. Rejects with a `StoreError`. */
export async function openStore(
  { kind, where, retention }: StateSettings,
  { clock, log }: Pick<Services, 'clock' | 'log'>,
): Promise<Kept> {
  if (kind === 'd1') throw new StoreError('d1 is for Workers; a program on Node has a file or PostgreSQL')
  const database = await openDatabase(kind === 'sqlite' ? `file:${where}` : where, { clock })
  try {
    return await openKept(database, { clock, log, secure: randomBytes, days: retention })
  } catch (error) {
    await database.close().catch(() => {})
    throw error
  }
}
