import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { parentPort, workerData } from 'node:worker_threads'
import type { Row, Value } from '../state/database.ts'

/** Milliseconds. Whoever reads for longer has the log wait for the next time. */
const patience = 100
/** Statements that are kept ready. */
const mostPrepared = 50

/**
 * Either way answered once, in turn, a checkpoint with nothing. `restart`: the second part of one, for which nobody else of
 * the process writes.
 */
export type Order = 'checkpoint' | 'restart' | 'close' | readonly WorkedStatement[]

export interface WorkedStatement {
  readonly sql: string
  readonly values: readonly (Value | bigint)[]
}

/** What became of a transaction. */
export type Written =
  | { readonly rows: readonly (readonly Row[])[] }
  | { readonly message: string; readonly errcode: number | undefined }

/** The thread of `SqliteAside`. */
const file = pathToFileURL(String(workerData))
// Never makes one.
file.searchParams.set('mode', 'rw')
const connection = new DatabaseSync(file, { timeout: patience })
connection.exec('PRAGMA synchronous = normal')

/** Whether it was done; if others are at it, the next time is soon enough. */
function tried(sql: string): boolean {
  try {
    const [row] = connection.prepare(sql).all()
    return row?.busy !== 1
  } catch {
    return false
  }
}

/** Most of it, while others write. */
function checkpoint(): void {
  tried('PRAGMA wal_checkpoint(PASSIVE)')
}

/** What others have written meanwhile, while they wait. */
function restart(): void {
  if (!tried('PRAGMA wal_checkpoint(RESTART)')) return
  // Whoever writes next begins the log anew, and waits for the disk.
  const [version] = connection.prepare('PRAGMA user_version').all()
  tried(`PRAGMA user_version = ${Number(version?.user_version ?? 0)}`)
}

const ready = new Map<string, StatementSync>()

function prepared(sql: string): StatementSync {
  const known = ready.get(sql)
  if (known) return known
  if (ready.size >= mostPrepared) ready.clear()
  const statement = connection.prepare(sql)
  ready.set(sql, statement)
  return statement
}

function write(statements: readonly WorkedStatement[]): Written {
  try {
    connection.exec('BEGIN IMMEDIATE')
    const rows = statements.map(({ sql, values }) => prepared(sql).all(...values))
    connection.exec('COMMIT')
    return { rows: rows as unknown as Row[][] }
  } catch (error) {
    if (connection.isTransaction) connection.exec('ROLLBACK')
    const errcode = error instanceof Error && 'errcode' in error ? Number(error.errcode) : undefined
    return { message: error instanceof Error ? error.message : String(error), errcode }
  }
}

parentPort?.on('message', (order: Order) => {
  if (order === 'close') {
    connection.close()
    parentPort?.close()
  } else if (order === 'checkpoint') parentPort?.postMessage(checkpoint())
  else if (order === 'restart') parentPort?.postMessage(restart())
  else parentPort?.postMessage(write(order))
})
