import { statSync } from 'node:fs'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import type { Clock } from '../core/clock.ts'
import {
  type Row,
  type Statement,
  type Statements,
  StoreError,
  type TransactionalDatabase,
  type Value,
} from '../state/database.ts'
import { SqliteAside } from './sqlite-aside.ts'
import { isBusy, sqliteError } from './sqlite-errors.ts'

export interface SqliteOptions {
  readonly clock: Clock
  /** Milliseconds: how long to try while others have the file locked. */
  readonly patience?: number
  /** `full`: what was written survives a power cut too, at the price of a wait for the disk at each write. */
  readonly durability?: 'normal' | 'full'
}

/** Statements that are kept ready. Those of reports are made up as they are asked for. */
const mostPrepared = 200
/** Milliseconds to try while the file has been locked for longer than anybody waits. */
const shortly = 100
/** Milliseconds between tries while the file is locked: a write is over in less than one. */
const longestPause = 16
/** Milliseconds of work after which whatever else the process has to do comes first. */
const longestStretch = 2
/** Bytes of a batch that a thread writes: it takes SQLite more than a millisecond. Smaller ones cost more to send to it. */
const large = 256 * 1024
/** Pages of the log from which on a transaction empties it all the same: 64 MB. */
const mostPages = 16_384
/** Where nobody else does: SQLite's own figure. */
const usualPages = 1_000

/**
 * Opens or makes the file. Other processes may have it open too, but only on this machine: what they share of it is in
 * memory. Rejects with a `StoreError`.
 */
export async function openSqlite(path: string, options: SqliteOptions): Promise<TransactionalDatabase> {
  let connection: DatabaseSync
  try {
    connection = new DatabaseSync(path, { timeout: 0 })
  } catch (error) {
    throw sqliteError(error, path)
  }
  const database = new SqliteDatabase(path, connection, options)
  try {
    await database.prepare(options.durability ?? 'normal')
  } catch (error) {
    connection.close()
    throw error
  }
  return database
}

/** One connection. What is asked of it waits until the transaction before it is over. */
class SqliteDatabase implements TransactionalDatabase {
  readonly #path: string
  readonly #connection: DatabaseSync
  readonly #clock: Clock
  readonly #patience: number
  /** Whether the file was found locked for too long, and nothing could be written since. Reading goes on meanwhile. */
  #isStuck = false
  readonly #prepared = new Map<string, StatementSync>()
  #file: string | undefined
  /** Absent: it is in memory. */
  #aside: SqliteAside | undefined
  #last: Promise<unknown> = Promise.resolve()
  /** Milliseconds, since others had a turn. */
  #worked = 0
  /** Of the transaction that is written. */
  #bytes = 0
  #isFull = false
  #closed = false

  constructor(path: string, connection: DatabaseSync, { clock, patience = 5_000 }: SqliteOptions) {
    this.#path = path
    this.#connection = connection
    this.#clock = clock
    this.#patience = patience
  }

  async prepare(durability: 'normal' | 'full'): Promise<void> {
    const pragmas = ['journal_mode = WAL', `synchronous = ${durability}`, 'journal_size_limit = 67108864']
    for (const pragma of pragmas) await this.#patiently(() => this.#connection.exec(`PRAGMA ${pragma}`))
    this.#file = fileAt(this.#path)
    if (this.#file === undefined) return
    this.#limitLog(mostPages)
    const alone = <T>(work: () => Promise<T>) => this.#inTurn(work)
    this.#aside = new SqliteAside(this.#path, { alone, failed: () => this.#limitLog(usualPages) })
    this.#isFull = durability === 'full'
  }

  all(sql: string, values: readonly Value[] = []): Promise<readonly Row[]> {
    return this.#inTurn((asked) => this.#patiently(() => this.#run(sql, values), asked))
  }

  batch(statements: readonly Statement[]): Promise<readonly (readonly Row[])[]> {
    const bytes = sizeOf(statements)
    const aside = bytes > large && !this.#isFull ? this.#aside : undefined
    return aside?.isThere
      ? this.#inTurn((asked) => this.#runAside(aside, statements, asked))
      : this.#runHere(statements, bytes)
  }

  #runHere(statements: readonly Statement[], bytes: number): Promise<readonly (readonly Row[])[]> {
    const runAll = () => {
      this.#bytes += bytes
      return statements.map(({ sql, values = [], intoColumns }) => this.#rows(sql, values, intoColumns))
    }
    return this.transaction(() => Promise.resolve().then(() => this.#timed(runAll)))
  }

  transaction<T>(work: (inside: Statements) => Promise<T>): Promise<T> {
    return this.#inTurn(async (asked) => {
      // One that reads first could find, when it wants to write, that what it has read is old.
      await this.#patiently(() => this.#exec('BEGIN IMMEDIATE'), asked)
      this.#isStuck = false
      this.#bytes = 0
      let over = false
      try {
        const result = await work({
          all: async (sql, values = []) => {
            if (over) throw new StoreError('a statement came after the end of its transaction')
            return this.#run(sql, values)
          },
        })
        over = true
        await this.#patiently(() => this.#exec('COMMIT'))
        this.#aside?.written(this.#bytes)
        return result
      } catch (error) {
        over = true
        this.#undo()
        throw asStoreError(error, this.#path)
      }
    })
  }

  async #runAside(aside: SqliteAside, statements: readonly Statement[], asked: number) {
    const worked = statements.map(({ sql, values = [] }) => ({ sql, values: values.map(bound) }))
    const rows = await this.#patiently(() => aside.run(worked), asked)
    this.#isStuck = false
    if (!rows) throw new StoreError(`${this.#path}: the thread that writes to it has ended`)
    aside.written(sizeOf(statements))
    return rows
  }

  async close(): Promise<void> {
    if (this.#closed) return
    await this.#inTurn(async () => {
      this.#closed = true
      await this.#aside?.close()
      this.#prepared.clear()
      this.#connection.close()
    })
  }

  #inTurn<T>(work: (asked: number) => Promise<T>): Promise<T> {
    const asked = this.#clock.now()
    const result = this.#last.then(async () => {
      if (this.#worked > longestStretch) await this.#rest()
      if (this.#closed) throw new StoreError(`${this.#path} is closed`)
      return await work(asked)
    })
    this.#last = result.catch(() => {})
    return result
  }

  /** SQLite answers at once, so that one work after the other would be done before anything else. */
  async #rest(): Promise<void> {
    await new Promise((turn) => setImmediate(turn))
    this.#worked = 0
  }

  #limitLog(pages: number): void {
    if (!this.#closed) this.#connection.exec(`PRAGMA wal_autocheckpoint = ${pages}`)
  }

  /**
   * Tries again by timer while others have the file: SQLite's own wait would stop the whole process. What has waited for
   * its turn has less time left, and the least while it is known that the file stays locked.
   */
  async #patiently<T>(action: () => T | Promise<T>, asked = this.#clock.now()): Promise<T> {
    for (let pause = 1; ; pause = Math.min(pause * 2, longestPause)) {
      try {
        this.#checkFile()
        return await action()
      } catch (error) {
        if (!isBusy(error)) throw asStoreError(error, this.#path)
        const patience = this.#isStuck ? Math.min(shortly, this.#patience) : this.#patience
        if (this.#clock.now() - asked >= patience) {
          this.#isStuck = true
          throw asStoreError(error, this.#path)
        }
      }
      await new Promise<void>((resolve) => this.#clock.after(pause, resolve))
    }
  }

  #run(sql: string, values: readonly Value[]): readonly Row[] {
    this.#bytes = values.reduce(addSize, this.#bytes)
    return this.#timed(() => this.#rows(sql, values))
  }

  #rows(sql: string, values: readonly Value[], intoColumns = false): readonly Row[] {
    try {
      const rows = this.#statement(sql).all(...(intoColumns ? values : values.map(bound)))
      return rows.map((row) => ({ ...row })) as unknown as readonly Row[]
    } catch (error) {
      // Others have the file: the caller tries again.
      if (isBusy(error)) throw error
      throw asStoreError(error, this.#path)
    }
  }

  #exec(sql: string): void {
    this.#timed(() => this.#connection.exec(sql))
  }

  #timed<T>(work: () => T): T {
    const began = this.#clock.now()
    try {
      return work()
    } finally {
      this.#worked += this.#clock.now() - began
    }
  }

  #statement(sql: string): StatementSync {
    const known = this.#prepared.get(sql)
    if (known) return known
    if (this.#prepared.size >= mostPrepared) this.#prepared.clear()
    const statement = this.#connection.prepare(withoutNumbers(sql))
    this.#prepared.set(sql, statement)
    return statement
  }

  #undo(): void {
    try {
      this.#connection.exec('ROLLBACK')
    } catch {
      // SQLite has done so itself, which it does after some errors.
    }
  }

  /** SQLite would go on writing to a file that nobody else can see, and others would begin a new one. */
  #checkFile(): void {
    if (this.#file === undefined || fileAt(this.#path) === this.#file) return
    throw new StoreError(
      `${this.#path} was deleted or replaced while it was in use: put it back, or stop, remove the -wal and -shm beside it, and start again`,
    )
  }
}

/** What tells a file from another in its place. Undefined: there is none, as for a database in memory. */
function fileAt(path: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false })
  return found && `${found.dev}:${found.ino}`
}

/** For each value, SQLite looks for the name of its mark in a list of all that have one, such as a number. */
function withoutNumbers(sql: string): string {
  const marks = sql.match(/\?\d+/g) ?? []
  return marks.every((mark, at) => mark === `?${at + 1}`) ? sql.replace(/\?\d+/g, '?') : sql
}

function sizeOf(statements: readonly Statement[]): number {
  return statements.reduce((sum, { values = [] }) => sum + values.reduce(addSize, 0), 0)
}

function addSize(sum: number, value: Value): number {
  if (typeof value === 'string') return sum + value.length
  return sum + (typeof value === 'object' ? (value?.byteLength ?? 0) : 0)
}

/** Node hands numbers over as floating, which shows wherever no column makes them whole again. */
function bound(value: Value): Value | bigint {
  return Number.isSafeInteger(value) ? BigInt(value as number) : value
}

function asStoreError(error: unknown, path: string): unknown {
  return error instanceof StoreError || !isSqlite(error) ? error : sqliteError(error, path)
}

function isSqlite(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return code === 'ERR_SQLITE_ERROR' || code === 'ERR_OUT_OF_RANGE'
}
