export type Value = string | number | null | Uint8Array

/** By the names of the columns. Whole numbers are exact up to 2^53, whatever the engine. */
export type Row = Readonly<Record<string, Value>>

export interface Statement {
  /**
   * One statement in the dialect that all engines share; `?1`, `?2` … stand for the values. Tables are made as SQLite's
   * `STRICT` ones. Where a value isn't compared with a column, or put into one, it needs a `CAST`.
   */
  readonly sql: string
  readonly values?: readonly Value[]
  /** Whether each value is put into a column as it is: then an engine needs no care to hand numbers over as whole ones. */
  readonly intoColumns?: boolean
}

/** Whatever can run statements. Rejects with a `StoreError`. */
export interface Statements {
  /** Runs one statement and resolves with its rows. */
  all(sql: string, values?: readonly Value[]): Promise<readonly Row[]>
}

/**
 * A database for what outlasts requests. Nothing of it is on a request's path: it never blocks the process, not even
 * where another one has locked the file.
 */
export interface Database extends Statements {
  /** Runs all of them or none, and resolves with the rows of each. */
  batch(statements: readonly Statement[]): Promise<readonly (readonly Row[])[]>
  /**
   * Runs `work` once, in one transaction that writes: nobody else has one until it is over, so it waits for nothing but
   * its statements. What it rejects with undoes all.
   * Absent where an engine has only batches.
   */
  transaction?<T>(work: (inside: Statements) => Promise<T>): Promise<T>
  close(): Promise<void>
}

/** Where one can look first and then write, without anybody in between. */
export type TransactionalDatabase = Database & Required<Pick<Database, 'transaction'>>

/** The database can't be used, or not now. `busy`: others have it, and a later try may succeed. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly busy: boolean

  constructor(message: string, options: { readonly busy?: boolean; readonly cause?: unknown } = {}) {
    super(message, { cause: options.cause })
    this.busy = options.busy ?? false
  }
}
