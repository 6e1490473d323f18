import { createAccounting } from '../../src/accounts/accounting.ts'
import { LenientLimiter } from '../../src/accounts/lenient-limiter.ts'
import { limiterOf } from '../../src/accounts/limiter.ts'
import { Rates } from '../../src/accounts/rates.ts'
import { SharedRates } from '../../src/accounts/shared-rates.ts'
import { type Clock, systemClock } from '../../src/core/clock.ts'
import { loadPrices } from '../../src/prices/load.ts'
import { StoreError, type TransactionalDatabase } from '../../src/state/database.ts'
import type { Key, KeyLimits } from '../../src/state/key.ts'
import { createLedger } from '../../src/state/ledger-writer.ts'
import { SlicedMeters } from '../../src/state/sliced-meters.ts'
import { createUsage } from '../../src/state/usage.ts'
import { digestOf } from './accounting.ts'
import { memoryDatabase } from './state.ts'

/** A database that fails, or says nothing, for as long as a test wants. */
export interface Breakable extends TransactionalDatabase {
  fails: boolean
  /** Everything waits for it. */
  hangs: Promise<void> | undefined
}

export function breakable(database: TransactionalDatabase): Breakable {
  const made: Breakable = {
    fails: false,
    hangs: undefined,
    all: (sql, values) => works(() => database.all(sql, values)),
    batch: (statements) => works(() => database.batch(statements)),
    transaction: (work) => works(() => database.transaction(work)),
    close: () => database.close(),
  }
  async function works<T>(work: () => Promise<T>): Promise<T> {
    await made.hangs
    if (made.fails) throw new StoreError('the disk is full')
    return await work()
  }
  return made
}

const budget = { subject: 'key:key_1', window: 0 }

/** Accounting for keys whose limits are kept in a database that may fail. `clock`: of those who wait for it. */
export async function breakableAccounting(clock: Clock) {
  const database = breakable(await memoryDatabase())
  const logged: string[] = []
  const log = (line: string) => void logged.push(line)
  const hasty = { flushMs: 5, lookMs: 20, beatMs: 10 }
  const untold = (amount: number) => log(`untold: ${amount}`)
  const meters = new SlicedMeters(database, { clock: systemClock, owner: 'these tests', untold, ...hasty })
  const ledger = createLedger({ database, clock: systemClock, log })
  const rates = new SharedRates({ database, clock: systemClock, company: meters, flushMs: 5 })
  const limiter = new LenientLimiter({
    ...{ limiter: limiterOf(rates, meters), clock, log },
    meanwhile: limiterOf(new Rates(clock), meters),
    spend: (holds, used) => meters.spend(holds, used),
  })
  const keys = new Map<string, Key>()
  const accounting = createAccounting({
    ...{ clock, limiter, ledger, digest: digestOf, background: true },
    keys: { find: (digest) => keys.get(digest) },
    catalogue: await loadPrices(),
  })
  return {
    ...{ accounting, database, meters, ledger, logged, usage: createUsage(database, systemClock) },
    /** Adds a key, or changes it. */
    put(secret: string, limits: KeyLimits): void {
      const more = { hint: 'sk-sw-…', disabled: false, createdAt: 0, metadata: {} }
      keys.set(digestOf(secret), { id: 'key_1', name: 'ci', limits, ...more })
    },
    spent: async () => (await meters.read(budget)).spent,
    held: async () => (await meters.read(budget)).held,
    async close(): Promise<void> {
      await Promise.all([rates.close(), meters.close(), ledger.close()])
      await database.close()
    },
  }
}
