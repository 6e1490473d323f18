import type { AdminState } from '../../src/admin/state.ts'
import { type Clock, systemClock } from '../../src/core/clock.ts'
import { openSqlite } from '../../src/node/sqlite.ts'
import type { TransactionalDatabase } from '../../src/state/database.ts'
import { openKeyRing } from '../../src/state/key-ring.ts'
import { createKeyStore } from '../../src/state/key-store.ts'
import type { RequestRow } from '../../src/state/ledger.ts'
import { createLedger, type LedgerWriter } from '../../src/state/ledger-writer.ts'
import type { Reading } from '../../src/state/meters.ts'
import { migrate } from '../../src/state/migrate.ts'
import { createUsage } from '../../src/state/usage.ts'
import { requestIds } from '../../src/wire/ids.ts'

/** A database with all tables, in memory. */
export async function memoryDatabase(): Promise<TransactionalDatabase> {
  const database = await openSqlite(':memory:', { clock: systemClock })
  await migrate(database)
  return database
}

/** Bytes from Node's source of secrets. */
export const secure = (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length))

/** Makes rows of a ledger, each with an id of its time. */
export function rowMaker(): (fields: Partial<RequestRow> & { readonly at: number }) => RequestRow {
  let now = 0
  const nextId = requestIds(Math.random, () => now)
  return (fields) => {
    now = fields.at
    return {
      id: nextId(),
      key: null,
      keyName: null,
      project: null,
      user: null,
      endUser: null,
      operation: 'chat',
      model: 'gpt',
      deployment: 'p/gpt',
      status: 200,
      outcome: 'done',
      stream: false,
      input: 10,
      cached: 2,
      output: 5,
      reasoning: 1,
      cost: 1_000,
      booked: 1_000,
      usageSource: 'reported',
      priceSource: 'configuration',
      ms: 12,
      firstMs: null,
      attempts: '[]',
      cache: null,
      metadata: null,
      ...fields,
    }
  }
}

export interface KeptState extends AdminState {
  readonly database: TransactionalDatabase
  readonly ledger: LedgerWriter
  /** What meters say, by subject. Tests set it. */
  readonly readings: Map<string, Reading>
  readonly logged: string[]
  close(): Promise<void>
}

/** All that a gateway keeps, in memory. */
export async function keptState(clock: Clock = systemClock): Promise<KeptState> {
  const database = await memoryDatabase()
  const logged: string[] = []
  const log = (line: string) => void logged.push(line)
  const ring = await openKeyRing({ database, clock, log })
  const readings = new Map<string, Reading>()
  return {
    database,
    ledger: createLedger({ database, clock, log }),
    readings,
    logged,
    keys: createKeyStore({ database, clock, secure, changed: ring.refresh }),
    holders: ring,
    usage: createUsage(database, clock),
    meters: {
      read: async ({ subject }) => readings.get(subject) ?? { spent: 0, held: 0, lost: 0 },
      async forgive({ subject }) {
        const { spent, held, lost } = readings.get(subject) ?? { spent: 0, held: 0, lost: 0 }
        readings.set(subject, { spent: spent - lost, held, lost: 0 })
      },
    },
    clock,
    async close() {
      ring.close()
      await database.close()
    },
  }
}
