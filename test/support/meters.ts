import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../src/core/clock.ts'
import { openPostgres } from '../../src/node/postgres.ts'
import { openSqlite } from '../../src/node/sqlite.ts'
import type { TransactionalDatabase } from '../../src/state/database.ts'
import { MemoryMeters } from '../../src/state/memory-meters.ts'
import type { Meter, MeterBook, Reading } from '../../src/state/meters.ts'
import { migrate } from '../../src/state/migrate.ts'
import { SlicedMeters, type SlicedOptions } from '../../src/state/sliced-meters.ts'
import type { AnyMeters } from './holds.ts'
import type { PostgresServer } from './postgres.ts'

/** A place where meters are kept, for one test. */
export interface MeterPlace {
  /** As one more process that shares them. */
  join(options?: Partial<SlicedOptions>): Promise<AnyMeters>
  /** Another connection to where they are kept. */
  connect(): Promise<TransactionalDatabase>
  close(): Promise<void>
}

/** Everything happens soon, so that nobody has to wait for it; but whoever stands still for a while beside other tests isn't dead. */
export const hasty = { flushMs: 5, lookMs: 300, beatMs: 10, patience: 20 }

let owners = 0

/** `open` opens one more connection. */
export async function sharedPlace(open: () => Promise<TransactionalDatabase>): Promise<MeterPlace> {
  const connections: TransactionalDatabase[] = []
  const members: SlicedMeters[] = []
  const connect = async () => {
    const database = await open()
    connections.push(database)
    return database
  }
  await migrate(await connect())
  return {
    connect,
    async join(options) {
      const meters = new SlicedMeters(await connect(), {
        clock: systemClock,
        owner: `test-${++owners}`,
        ...hasty,
        ...options,
      })
      members.push(meters)
      return meters
    },
    async close() {
      for (const meters of members) await meters.close()
      for (const database of connections) await database.close()
    },
  }
}

export async function sqlitePlace(): Promise<MeterPlace> {
  const folder = await mkdtemp(join(tmpdir(), 'meters-'))
  const path = join(folder, 'state.db')
  const place = await sharedPlace(() => openSqlite(path, { clock: systemClock }))
  return {
    ...place,
    async close() {
      await place.close()
      await rm(folder, { recursive: true })
    },
  }
}

export async function postgresPlace(server: PostgresServer): Promise<MeterPlace> {
  const url = await server.database()
  return sharedPlace(() => openPostgres(url, { clock: systemClock }))
}

export async function memoryPlace(): Promise<MeterPlace> {
  return {
    join: async () => new MemoryMeters(),
    connect: () => Promise.reject(new Error('memory has no connections')),
    close: async () => {},
  }
}

/** Reads a meter again and again until it says what it should. */
export async function untilItSays(
  meters: MeterBook,
  meter: Meter,
  is: (reading: Reading) => boolean,
): Promise<Reading> {
  for (;;) {
    const reading = await meters.read(meter)
    if (is(reading)) return reading
    await new Promise((turn) => setTimeout(turn, 1))
  }
}
