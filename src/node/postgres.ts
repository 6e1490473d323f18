import { DatabaseError, Pool, type PoolClient } from 'pg'
import type { Clock } from '../core/clock.ts'
import {
  type Row,
  type Statement,
  type Statements,
  StoreError,
  type TransactionalDatabase,
  type Value,
} from '../state/database.ts'
import { parserOf, postgresSql, postgresValue } from './postgres-dialect.ts'
import { postgresError } from './postgres-errors.ts'

export interface PostgresOptions {
  readonly clock: Clock
  /** Milliseconds: how long anything may take, waiting for others included. */
  readonly patience?: number
}

/** A number that all processes know, so that one of them writes at a time. */
const begin = 'BEGIN; SELECT pg_advisory_xact_lock(7369743)'
/** Where two batches wait for each other, one of them is ended, and tried again. */
const tries = 5
/** Statements that each connection keeps ready. Those of reports are made up as they are asked for. */
const mostPrepared = 500

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
  readonly #pool: Pool
  readonly #server: string
  readonly #clock: Clock
  readonly #patience: number
  readonly #names = new Map<string, string>()

  constructor(url: string, { clock, patience = 10_000 }: PostgresOptions) {
    const { host, pathname } = readUrl(url)
    this.#server = `postgres://${host}${pathname}`
    this.#clock = clock
    this.#patience = patience
    const half = Math.ceil(patience / 2)
    this.#pool = new Pool({
      connectionString: url,
      application_name: 'samewire',
      max: 4,
      keepAlive: true,
      connectionTimeoutMillis: half,
      lock_timeout: half,
      // A process that was stopped in the middle of a transaction lets others go on.
      idle_in_transaction_session_timeout: half,
      // Statements of one transaction needn't wait for one another's way there and back.
      pipeline: true,
      types: { getTypeParser: parserOf },
    })
    // Who waits for a connection that is lost is told so. Nobody else needs to know.
    this.#pool.on('error', () => {})
    this.#pool.on('connect', (client) => client.on('error', () => {}))
  }

  all(sql: string, values: readonly Value[] = []): Promise<readonly Row[]> {
    return this.#again(() => this.#connected((client) => this.#run(client, sql, values)))
  }

  batch(statements: readonly Statement[]): Promise<readonly (readonly Row[])[]> {
    return this.#again(() =>
      this.#transaction('BEGIN', ({ all }) => Promise.all(statements.map(({ sql, values }) => all(sql, values)))),
    )
  }

  transaction<T>(work: (inside: Statements) => Promise<T>): Promise<T> {
    return this.#transaction(begin, work)
  }

  async close(): Promise<void> {
    if (!this.#pool.ended) await this.#pool.end()
  }

  #transaction<T>(begin: string, work: (inside: Statements) => Promise<T>): Promise<T> {
    return this.#connected(async (client) => {
      let over = false
      await client.query(begin)
      try {
        const result = await work({
          all: async (sql, values = []) => {
            if (over) throw new StoreError('a statement came after the end of its transaction')
            return this.#run(client, sql, values)
          },
        })
        over = true
        await client.query('COMMIT')
        return result
      } catch (error) {
        over = true
        await client.query('ROLLBACK')
        throw error
      }
    })
  }

  /** Whoever takes too long loses the connection, and with it whatever wasn't written yet. */
  async #connected<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    if (this.#pool.ended || this.#pool.ending) throw new StoreError(`${this.#server} is closed`)
    const client = await this.#pool.connect().catch((error) => {
      throw postgresError(error, this.#server)
    })
    const late = Promise.withResolvers<never>()
    const tooLate = new StoreError(`${this.#server} took too long`)
    const cancel = this.#clock.after(this.#patience, () => late.reject(tooLate))
    const working = work(client)
    try {
      const result = await Promise.race([working, late.promise])
      client.release()
      return result
    } catch (error) {
      working.catch(() => {})
      client.release(error === tooLate || isOfConnection(error))
      throw isOfServer(error) || isOfConnection(error) ? postgresError(error, this.#server) : error
    } finally {
      cancel()
    }
  }

  async #run(client: PoolClient, sql: string, values: readonly Value[]): Promise<readonly Row[]> {
    const text = postgresSql(sql)
    const { rows } = await client.query<Row>({ text, values: values.map(postgresValue), ...this.#named(text) })
    return rows
  }

  #named(text: string): { readonly name?: string } {
    let name = this.#names.get(text)
    if (name === undefined && this.#names.size < mostPrepared) {
      name = `s${this.#names.size}`
      this.#names.set(text, name)
    }
    return name === undefined ? {} : { name }
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

/** Refused by the server, so that its connection is as good as before. */
/** Says nothing of what stands before the host: it may be a password. */
function readUrl(url: string): URL {
  if (URL.canParse(url)) return new URL(url)
  const [, port = ''] = /:(\d+)(?:[/?#].*)?$/s.exec(url.slice(url.lastIndexOf('@') + 1)) ?? []
  const why =
    Number(port) > 65_535
      ? `there is no port ${port}, only up to 65535`
      : 'it has to be postgres://user:password@host:port/database, with %40 for an @ in the password, and so on'
  throw new StoreError(`the URL of the database can't be read: ${why}`)
}

function isOfServer(error: unknown): boolean {
  return error instanceof DatabaseError
}

function isOfConnection(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof StoreError || isOfServer(error)) return false
  return 'code' in error || /connection|client/i.test(error.message)
}
