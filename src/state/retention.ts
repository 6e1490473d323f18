import type { Clock } from '../core/clock.ts'
import type { Log } from '../core/log.ts'
import { requestIdAt } from '../wire/ids.ts'
import type { Database, Statement } from './database.ts'
import type { Objects } from './objects.ts'
import { forgetRates } from './rate-rows.ts'

export interface RetentionOptions {
  readonly database: Database
  readonly clock: Clock
  readonly log: Log
  /** For how many days the rows of requests are kept. Their sums are kept for ever. */
  readonly days: number
  /** What else may be too old. Absent: nothing. */
  readonly objects?: Pick<Objects, 'forget'> | undefined
}

/** Rows of one statement: each takes some microseconds, in which nobody else can write. */
export const bite = 500
/** Milliseconds between two of them, and between two looks for what is too old. */
const pause = 100
export const every = 10 * 60 * 1000
const day = 24 * 60 * 60 * 1000

/** What deletes a bite of the rows that are older than so many days, and tells their ids; and secrets that have ended. */
export function tooOld(now: number, days: number): readonly Statement[] {
  return [
    {
      sql: `DELETE FROM requests WHERE id IN (SELECT id FROM requests WHERE id < ?1 ORDER BY id LIMIT ?2) RETURNING id`,
      values: [requestIdAt(now - days * day), bite],
    },
    { sql: 'DELETE FROM secrets WHERE until <= ?1', values: [now] },
  ]
}

/** Deletes what is too old, now and then. Returns what ends that. */
export function keepFor({ database, clock, log, days, objects }: RetentionOptions): () => void {
  let cancel = () => {}
  let isOver = false
  const later = (ms: number) => {
    if (isOver) return
    cancel = clock.after(ms, () => void remove())
  }

  async function remove(): Promise<void> {
    const now = Math.floor(clock.now())
    try {
      const [gone] = await database.batch(tooOld(now, days))
      const hasMore = [await objects?.forget(now), await forgetRates(database, now)].includes(true)
      later(gone?.length === bite || hasMore ? pause : every)
    } catch (error) {
      log(`What is too old can't be deleted: ${error instanceof Error ? error.message : error}`, 'warn')
      later(every)
    }
  }

  later(pause)
  return () => {
    isOver = true
    cancel()
  }
}
