import type { Clock } from '../core/clock.ts'
import type { Log } from '../core/log.ts'
import type { Database } from '../state/database.ts'
import type { Ledger, RequestRow } from '../state/ledger.ts'
import { unwritten, writeBatch } from '../state/request-batch.ts'
import { storable } from '../state/request-rows.ts'
import { bite, every, tooOld } from '../state/retention.ts'
import { EndUsers } from '../state/rollups.ts'
import type { Defer, Queue } from './bindings.ts'

export interface RequestLedgerOptions {
  readonly database: Database
  readonly clock: Clock
  readonly log: Log
  /** Days for which rows are kept. */
  readonly days: number
  /** Has the runtime wait for what nobody flushes, such as the row of a session by WebSocket. */
  readonly defer?: Defer | undefined
  /** Deletes what else is too old. Resolves with whether there may be more. */
  readonly forget?: ((now: number) => Promise<boolean>) | undefined
  /** Where rows go first; whoever takes them from there writes them. Absent: they are written at once. */
  readonly queue?: Queue | undefined
}

/** Rows that are written, or sent, at once; and those that wait at most, while that fails. */
const mostAtOnce = 32
const mostWaiting = 1_000
/** Milliseconds until a further try: a request lasts no longer than it must. */
const waits = [100, 400, 1_600]

/**
 * A ledger without a time of its own, as on Workers: what was written down is stored by whoever flushes, or by `defer`, which
 * each request has done when it is over. What can't be stored then is tried again with the next one.
 */
export function createRequestLedger({
  database,
  clock,
  log,
  days,
  queue,
  defer,
  forget,
}: RequestLedgerOptions): Ledger {
  const endUsers = new EndUsers()
  let waiting: RequestRow[] = []
  let dropped = 0
  let swept = 0

  async function store(rows: readonly RequestRow[]): Promise<void> {
    if (!queue) return await writeRows(database, rows, endUsers)
    for (const message of messages(rows)) await queue.send(message)
  }

  async function tryHard(rows: readonly RequestRow[]): Promise<void> {
    for (const wait of waits) {
      try {
        return await store(rows)
      } catch {
        await new Promise<void>((over) => clock.after(wait, over))
      }
    }
    await store(rows)
  }

  function keep(rows: readonly RequestRow[], error: unknown): void {
    const why = error instanceof Error ? error.message : String(error)
    log(`The ledger can't be written, so its rows wait: ${why}`, 'warn')
    const room = Math.max(0, mostWaiting - waiting.length)
    waiting = [...rows.slice(0, room), ...waiting]
    dropped += Math.max(0, rows.length - room)
    if (rows.length > room) log(`The ledger has no room: ${dropped} rows were given up so far.`, 'error')
  }

  /** Deletes what is too old: nobody else does. */
  async function sweep(): Promise<void> {
    const now = Math.floor(clock.now())
    if (now - swept < every) return
    swept = now
    try {
      const [gone] = await database.batch(tooOld(now, days))
      const hasMore = await forget?.(now)
      if (gone?.length === bite || hasMore) swept = 0
    } catch (error) {
      log(`What is too old can't be deleted: ${error instanceof Error ? error.message : error}`, 'warn')
    }
  }

  async function flush(): Promise<void> {
    while (waiting.length > 0) {
      const rows = waiting.slice(0, mostAtOnce)
      waiting = waiting.slice(mostAtOnce)
      try {
        await tryHard(rows)
      } catch (error) {
        return keep(rows, error)
      }
      await sweep()
    }
  }

  return {
    write(row) {
      waiting.push(storable(typeof row === 'function' ? row() : row))
      defer?.(Promise.resolve().then(flush))
    },
    flush,
  }
}

/** Characters of a message. A queue takes 128 KB, and a character has three bytes at most; a row is always shorter. */
const longest = 40_000

/** Rows in lists that a queue takes. */
function messages(rows: readonly RequestRow[]): readonly (readonly RequestRow[])[] {
  const lists: RequestRow[][] = []
  let room = 0
  for (const row of rows) {
    const size = JSON.stringify(row).length + 1
    if (size > room) {
      lists.push([])
      room = longest
    }
    lists.at(-1)?.push(row)
    room -= size
  }
  return lists
}

/** Writes rows of which some may be there already. Rejects with a `StoreError`, and has written nothing then. */
export async function writeRows(database: Database, rows: readonly RequestRow[], endUsers: EndUsers): Promise<void> {
  try {
    await writeBatch(database, { rows }, endUsers)
  } catch (error) {
    const left = await unwritten(database, rows)
    if (left.length === rows.length) throw error
    if (left.length > 0) await writeBatch(database, { rows: left }, endUsers)
  }
}
