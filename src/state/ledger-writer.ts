import type { Clock } from '../core/clock.ts'
import type { Log } from '../core/log.ts'
import type { Database } from './database.ts'
import type { Ledger, MakeRow, RequestRow } from './ledger.ts'
import { type RequestBatch, unwritten as stillUnwritten, writeBatch } from './request-batch.ts'
import { storable } from './request-rows.ts'
import { EndUsers, Rollups } from './rollups.ts'
import { takingTurns } from './turns.ts'

export interface LedgerOptions {
  readonly database: Database
  readonly clock: Clock
  readonly log: Log
  /** Rows that wait at most, while the store can't be used. Default 10,000. */
  readonly mostWaiting?: number
}

export interface LedgerWriter extends Ledger {
  readonly written: number
  /** Rows that were given up: of these there are only sums. */
  readonly dropped: number
  /** Rows that are not written yet. */
  readonly waiting: number
  /** Writes what waits, and nothing after that. Never rejects. */
  close(): Promise<void>
}

type Batch = Required<RequestBatch>

/** Rows of a batch, and sums: whatever else the process has to do waits a few milliseconds for it. */
const mostAtOnce = 64
/** Requests whose rows are made together. */
const mostUnmade = 16
/** Milliseconds. */
const delay = 50
const [firstWait, longestWait] = [100, 5_000]

/** Writes rows in batches, behind the requests. */
export function createLedger({ database, clock, log, mostWaiting = 10_000 }: LedgerOptions): LedgerWriter {
  const endUsers = new EndUsers()
  let waiting: RequestRow[] = []
  /** Rows that are made together: one by one they would cost several times as much, for want of a place in the processor's caches. */
  let unmade: MakeRow[] = []
  const sums = new Rollups(endUsers)
  /** What could not be written. */
  let unwritten: Batch | undefined
  let writtenRows = 0
  let dropped = 0
  let droppedBefore = 0
  let failures = 0
  let running: Promise<void> | undefined
  /** Rows for which it goes on. */
  let least = 0
  let cancel: (() => void) | undefined
  let isClosed = false

  const notWritten = () => waiting.length + unmade.length + (unwritten?.rows.length ?? 0)
  const isWaiting = () => unwritten !== undefined || waiting.length + unmade.length > 0 || !sums.isEmpty

  function schedule(ms: number): void {
    if (isClosed || cancel || running) return
    cancel = clock.after(ms, () => {
      cancel = undefined
      void run()
    })
  }

  /**
   * Writes what waits as long as there are so many rows, or finds that the store can't be used now. Never rejects.
   */
  function run(rows = 0): Promise<void> {
    cancel?.()
    cancel = undefined
    least = running ? Math.min(least, rows) : rows
    running ??= writeAll()
    return running
  }

  async function writeAll(): Promise<void> {
    // What came with the last row is over, too.
    await undefined
    for (const turn = takingTurns(clock); isWaiting() && notWritten() >= least; await turn())
      if (!(await writeNext())) break
    running = undefined
    if (isWaiting()) schedule(failures > 0 ? waitAfter(failures) : delay)
  }

  /** Whether it could be written. */
  async function writeNext(): Promise<boolean> {
    const batch = unwritten ?? next()
    try {
      const rest = unwritten ? await withoutWritten(unwritten) : batch
      if (rest) await writeBatch(database, rest, endUsers)
      unwritten = undefined
      writtenRows += batch.rows.length
      if (failures > 0) written()
      return true
    } catch (error) {
      unwritten = batch
      failed(error)
      return false
    }
  }

  function make(): void {
    const all = unmade
    unmade = []
    for (const row of all) {
      try {
        add(row())
      } catch (error) {
        log(`A row of the ledger could not be made, and is lost: ${messageOf(error)}`, 'error')
      }
    }
  }

  function add(row: RequestRow): void {
    const stored = storable(row)
    if (waiting.length < mostWaiting) waiting.push(stored)
    else {
      if (dropped === droppedBefore) log('The ledger has no room: of further requests it keeps sums only.', 'warn')
      dropped++
      sums.add(stored)
    }
  }

  function next(): Batch {
    make()
    const made = { rows: waiting.slice(0, mostAtOnce), sums: sums.take(mostAtOnce) }
    waiting = waiting.slice(mostAtOnce)
    return made
  }

  /** Undefined: it was written, and its sums with its rows. */
  async function withoutWritten(batch: Batch): Promise<Batch | undefined> {
    const rows = await stillUnwritten(database, batch.rows)
    return batch.rows.length > 0 && rows.length === 0 ? undefined : { ...batch, rows }
  }

  function failed(error: unknown): void {
    failures++
    if (failures > 1) return
    log(`The ledger can't be written, so its rows wait: ${messageOf(error)}`, 'warn')
  }

  function written(): void {
    const now = dropped - droppedBefore
    log(`The ledger is written again.${now === 0 ? '' : ` Of ${now} requests there are only sums.`}`, 'warn')
    droppedBefore = dropped
    failures = 0
  }

  return {
    get written() {
      return writtenRows
    },
    get dropped() {
      return dropped
    },
    get waiting() {
      return notWritten()
    },
    write(row) {
      if (typeof row !== 'function') add(row)
      else if (unmade.push(row) >= mostUnmade || failures > 0) make()
      // What waits for long becomes old to the garbage collector, and dear.
      if (failures === 0 && notWritten() >= mostAtOnce) void run(mostAtOnce)
      else schedule(delay)
    },
    async flush() {
      // What is being written may have begun before the last row came.
      await running
      if (isWaiting()) await run()
    },
    async close() {
      isClosed = true
      await this.flush()
      const left = notWritten() + dropped - droppedBefore
      const lost =
        left === 1
          ? 'row of the ledger could not be written, and is'
          : 'rows of the ledger could not be written, and are'
      if (left > 0) log(`${left} ${lost} lost.`, 'error')
    },
  }
}

const waitAfter = (failures: number) => Math.min(firstWait * 2 ** (failures - 1), longestWait)
const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))
