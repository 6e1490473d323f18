import { type Level, type RateBook, Rates, type Take, type Taken, type TooFast } from '../../src/accounts/rates.ts'
import { SharedRates, type SharedRatesOptions } from '../../src/accounts/shared-rates.ts'
import { type Clock, systemClock } from '../../src/core/clock.ts'
import type { TransactionalDatabase } from '../../src/state/database.ts'
import { type MeterPlace, postgresPlace, sqlitePlace } from './meters.ts'
import type { PostgresServer } from './postgres.ts'

/** Limits a minute in one process, as whoever takes of them sees it. */
export type AnyRates = RateBook<Level>

/** Its time is what a test says, and its timers are real. */
export class SetClock implements Clock {
  time = 1_700_000_000_000

  now(): number {
    return this.time
  }

  after(ms: number, action: () => void): () => void {
    return systemClock.after(ms, action)
  }
}

/** A place where limits are counted, for one test. */
export interface RatePlace {
  readonly clock: SetClock
  /** As one more process that shares them. */
  join(options?: Partial<SharedRatesOptions>): Promise<AnyRates>
  /** Another connection to where they are kept. */
  connect(): Promise<TransactionalDatabase>
  close(): Promise<void>
}

/** What is free goes back soon. */
export const flushMs = 5
export const alone = { alone: true, join: () => {} }
export const together = { alone: false, join: () => {} }

function placeIn(home: MeterPlace, isAlone: boolean): RatePlace {
  const clock = new SetClock()
  const members: SharedRates[] = []
  return {
    clock,
    connect: home.connect,
    async join(options) {
      const company = isAlone ? alone : together
      const rates = new SharedRates({ database: await home.connect(), clock, company, flushMs, ...options })
      members.push(rates)
      return rates
    },
    async close() {
      for (const rates of members) await rates.close()
      await home.close()
    },
  }
}

export const sqliteRates = async (isAlone = false) => placeIn(await sqlitePlace(), isAlone)
export const postgresRates = async (server: PostgresServer) => placeIn(await postgresPlace(server), false)

export async function memoryRates(): Promise<RatePlace> {
  const clock = new SetClock()
  return {
    clock,
    join: async () => new Rates(clock),
    connect: () => Promise.reject(new Error('memory has no connections')),
    close: async () => {},
  }
}

export const requests = (limit: number, subject = 'key:a', need = 1): Take => ({
  subject,
  kind: 'requests',
  limit,
  need,
})
export const tokens = (limit: number, need: number, subject = 'key:a'): Take => ({
  ...{ subject, kind: 'tokens', limit, need },
})

/** What was taken, where the test expects so. */
export async function taken(rates: AnyRates, ...takes: readonly Take[]): Promise<readonly Taken[]> {
  const outcome = await rates.take(takes)
  if ('wait' in outcome) throw new Error(`refused: ${outcome.left} left of ${outcome.take.subject}`)
  return outcome
}

/** A refusal, where the test expects one. */
export async function refused(rates: AnyRates, ...takes: readonly Take[]): Promise<TooFast> {
  const outcome = await rates.take(takes)
  if (!('wait' in outcome)) throw new Error('it was not refused')
  return outcome
}
