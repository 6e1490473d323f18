import postgres from 'postgres'
import type { Clock } from '../core/clock.ts'
import {
  type Row,
  type Statement,
  type Statements,
  StoreError,
  type TransactionalDatabase,
  type Value,
} from '../state/database.ts'
import { plainRow, postgresSql, postgresTypes, postgresValue } from './postgres-dialect.ts'
import { postgresError } from './postgres-errors.ts'

export interface PostgresOptions {
  readonly clock: Clock
  /** Milliseconds: how long anything may take, waiting for others included. */
  readonly patience?: number
}

/** Anything that many processes agree upon, so that one of them writes at a time. */
const lock = 'SELECT pg_advisory_xact_lock(7369743)'
/** Where two batches wait for each other, one of them is ended, and tried again. */
const tries = 5

type Sql = Pick<postgres.Sql, 'unsafe'>

/** Connects to a server. Rejects with a `StoreError`, whose message says nothing of the URL's password. */
export async function openPostgres(url: string, options: PostgresOptions): Promise<TransactionalDatabase> {
  const database = new PostgresDatabase(url, options)
  try {
    await database.all('SELECT 1')
  } catch (error) {
    await database.close()
    throw error
  }
  return database
}

class PostgresDatabase implements TransactionalDatabase {
  readonly #sql: postgres.Sql
  readonly #server: string
  readonly #clock: Clock
  readonly #patience: number

  constructor(url: string, { clock, patience = 10_000 }: PostgresOptions) {
    const { host, pathname } = new URL(url)
    this.#server = `postgres://${host}${pathname}`
    this.#clock = clock
    this.#patience = patience
    const half = Math.ceil(patience / 2)
    this.#sql = postgres(url, {
      max: 4,
      connect_timeout: Math.ceil(half / 1000),
      fetch_types: false,
      types: postgresTypes,
      onnotice: () => {},
      connection: {
        application_name: 'samewire',
        lock_timeout: half,
        // A process that was stopped in the middle of a transaction lets others go on.
        idle_in_transaction_session_timeout: half,
      },
    }) as unknown as postgres.Sql
  }

  all(sql: string, values: readonly Value[] = []): Promise<readonly Row[]> {
    return this.#again(() => this.#inTime(() => run(this.#sql, sql, values)))
  }

  batch(statements: readonly Statement[]): Promise<readonly (readonly Row[])[]> {
    return this.#again(() =>
      this.#begin((inside) => Promise.all(statements.map(({ sql, values }) => inside.all(sql, values)))),
    )
  }

  transaction<T>(work: (inside: Statements) => Promise<T>): Promise<T> {
    return this.#begin(async (inside) => {
      await inside.all(lock)
      return work(inside)
    })
  }

  async close(): Promise<void> {
    await this.#sql.end({ timeout: 5 })
  }

  #begin<T>(work: (inside: Statements) => Promise<T>): Promise<T> {
    return this.#inTime(async (over) => {
      let result: T | undefined
      let ended = false
      await this.#sql.begin(async (transaction) => {
        result = await work({
          all: async (sql, values = []) => {
            if (ended) throw new StoreError('a statement came after the end of its transaction')
            if (over()) throw new StoreError(`${this.#server} took too long`)
            return run(transaction, sql, values)
          },
        })
        ended = true
        // Nobody waits for it any more, and may have been told that it failed.
        if (over()) throw new StoreError(`${this.#server} took too long`)
      })
      return result as T
    })
  }

  /** A connection that hangs must not keep a request waiting for ever. */
  #inTime<T>(work: (over: () => boolean) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      let over = false
      const cancel = this.#clock.after(this.#patience, () => {
        over = true
        reject(new StoreError(`${this.#server} took too long`))
      })
      const end = () => {
        over = true
        cancel()
      }
      work(() => over).then(
        (result) => {
          end()
          resolve(result)
        },
        (error: unknown) => {
          end()
          reject(isForeign(error) ? postgresError(error, this.#server) : error)
        },
      )
    })
  }

  async #again<T>(work: () => Promise<T>): Promise<T> {
    for (let left = tries; ; left--) {
      try {
        return await work()
      } catch (error) {
        if (left === 1 || !(error instanceof StoreError && error.busy)) throw error
      }
    }
  }
}

async function run(sql: Sql, text: string, values: readonly Value[]): Promise<readonly Row[]> {
  const rows = await sql.unsafe<Row[]>(postgresSql(text), values.map(postgresValue) as never[], { prepare: true })
  return rows.map(plainRow)
}

/** What a transaction's own work rejects with stays as it is. */
function isForeign(error: unknown): boolean {
  return error instanceof Error && 'code' in error
}
