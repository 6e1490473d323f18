import type { Clock } from '../core/clock.ts'
import type { Log } from '../core/log.ts'
import type { Database, Row, Statement } from '../state/database.ts'
import { asGatewayError, describeCause } from '../wire/errors.ts'
import type { Answers, Keeping, Stored } from './answers.ts'
import { decodeStored, encodeStored } from './encoding.ts'
import { MemoryAnswers } from './memory.ts'

export interface DatabaseAnswersOptions {
  readonly database: Database
  readonly clock: Clock
  readonly log: Log
  /** Bytes in memory. The database has sixteen times as many. */
  readonly maxBytes: number
}

/** Milliseconds for which writes wait for others, and after which a look into a database that is busy is given up. */
const [delay, patience] = [50, 100]
/** Milliseconds between looks for what is too old or too much, for what other processes have dropped, and between complaints. */
const [sweepEvery, lookEvery, complainEvery] = [60_000, 1_000, 60_000]
/** Answers that are written or deleted at once: whatever else the process has to do waits for it. */
const mostAtOnce = 32
/** Bytes that wait to be written at most. */
const mostWaiting = 16 * 1024 * 1024
const share = 16

interface Waiting extends Keeping {
  readonly id: string
  readonly answer: Stored
}

/**
 * Answers in memory and in a database, so that they outlast the process and go to others. They are written behind the
 * requests; while the database can't be used, there is the memory.
 */
export class DatabaseAnswers implements Answers {
  readonly #options: DatabaseAnswersOptions
  readonly #memory: MemoryAnswers
  #waiting = new Map<string, Waiting>()
  #waitingBytes = 0
  #writing: Promise<void> | undefined
  #isScheduled = false
  #revision: number | undefined
  #looked = Number.NEGATIVE_INFINITY
  #swept = Number.NEGATIVE_INFINITY
  #complained = Number.NEGATIVE_INFINITY

  constructor(options: DatabaseAnswersOptions) {
    this.#options = options
    this.#memory = new MemoryAnswers(options.clock, options.maxBytes)
  }

  get(id: string): Stored | undefined | Promise<Stored | undefined> {
    const { clock } = this.#options
    if (clock.now() - this.#looked >= lookEvery) void this.#look()
    return this.#memory.get(id) ?? this.#read(id)
  }

  put(id: string, answer: Stored, keeping: Keeping): void {
    this.#memory.put(id, answer, keeping)
    if (this.#waitingBytes + answer.body.length > mostWaiting) return
    this.#unqueue(id)
    this.#waiting.set(id, { id, answer, ...keeping })
    this.#waitingBytes += answer.body.length
    this.#schedule()
  }

  async drop(tenant?: string): Promise<void> {
    for (const one of [...this.#waiting.values()])
      if (tenant === undefined || one.tenant === tenant) this.#unqueue(one.id)
    await this.#memory.drop(tenant)
    // What is being written now is not to come after that.
    await this.#writing
    const { database } = this.#options
    await database.batch([
      tenant === undefined
        ? { sql: 'DELETE FROM cache' }
        : { sql: 'DELETE FROM cache WHERE tenant = ?1', values: [tenant] },
      { sql: dropped },
    ])
  }

  async flush(): Promise<void> {
    while (this.#waiting.size > 0) if (!(await this.#write())) return
  }

  async #read(id: string): Promise<Stored | undefined> {
    const { database, clock } = this.#options
    const values = [id, Math.floor(clock.now())]
    const looked = Promise.withResolvers<Row | undefined>()
    const cancel = clock.after(patience, () => looked.resolve(undefined))
    database.all('SELECT tenant, until, body FROM cache WHERE id = ?1 AND until > ?2', values).then(
      ([row]) => looked.resolve(row),
      (error) => looked.resolve(this.#complain(error)),
    )
    const row = await looked.promise
    cancel()
    return row && this.#remember(id, row)
  }

  /** Keeps in memory what came from the database. */
  #remember(id: string, { tenant, until, body }: Row): Stored | undefined {
    const stored = body instanceof Uint8Array ? decodeStored(body) : undefined
    if (stored) this.#memory.put(id, stored, { tenant: String(tenant), until: Number(until) })
    return stored
  }

  /** Forgets everything if another process has dropped something since the last look. */
  async #look(): Promise<void> {
    this.#looked = this.#options.clock.now()
    try {
      const [row] = await this.#options.database.all("SELECT value FROM revisions WHERE name = 'cache'")
      const revision = Number(row?.value ?? 0)
      if (this.#revision !== undefined && this.#revision !== revision) await this.#memory.drop()
      this.#revision = revision
    } catch (error) {
      this.#complain(error)
    }
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    this.#options.clock.after(delay, () => {
      this.#isScheduled = false
      void this.#write().then((isWritten) => {
        if (this.#waiting.size > 0 && isWritten) this.#schedule()
      })
    })
  }

  /** Writes some of what waits. Resolves with whether the database could be used. */
  async #write(): Promise<boolean> {
    await this.#writing
    const some = [...this.#waiting.values()].slice(0, mostAtOnce)
    if (some.length === 0) return true
    for (const { id } of some) this.#unqueue(id)
    let isWritten = true
    this.#writing = this.#options.database.batch([...some.map(insertion), ...this.#expiry()]).then(
      async () => await this.#bound(),
      (error) => {
        isWritten = false
        this.#complain(error)
      },
    )
    await this.#writing
    return isWritten
  }

  #expiry(): readonly Statement[] {
    const now = Math.floor(this.#options.clock.now())
    const sql = 'DELETE FROM cache WHERE id IN (SELECT id FROM cache WHERE until <= ?1 ORDER BY until LIMIT ?2)'
    return [{ sql, values: [now, mostAtOnce * 2] }]
  }

  /** Deletes those that are the next to be too old, while there are too many. */
  async #bound(): Promise<void> {
    const { database, clock, maxBytes } = this.#options
    if (clock.now() - this.#swept < sweepEvery) return
    this.#swept = clock.now()
    try {
      for (;;) {
        const [row] = await database.all('SELECT COALESCE(SUM(size), 0) AS size FROM cache')
        if (Number(row?.size ?? 0) <= maxBytes * share) return
        const sql = 'DELETE FROM cache WHERE id IN (SELECT id FROM cache ORDER BY until LIMIT ?1)'
        await database.all(sql, [mostAtOnce * 2])
      }
    } catch (error) {
      this.#complain(error)
    }
  }

  #unqueue(id: string): void {
    this.#waitingBytes -= this.#waiting.get(id)?.answer.body.length ?? 0
    this.#waiting.delete(id)
  }

  #complain(error: unknown): undefined {
    const { clock, log } = this.#options
    if (clock.now() - this.#complained < complainEvery) return
    this.#complained = clock.now()
    log(`answers are kept in memory only: ${describeCause(asGatewayError(error))}`, 'warn')
  }
}

const dropped =
  "INSERT INTO revisions (name, value) VALUES ('cache', 1) ON CONFLICT (name) DO UPDATE SET value = revisions.value + 1"

function insertion({ id, tenant, until, answer }: Waiting): Statement {
  const body = encodeStored(answer)
  const sql =
    'INSERT INTO cache (id, tenant, until, size, stream, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (id) DO UPDATE ' +
    'SET tenant = excluded.tenant, until = excluded.until, size = excluded.size, stream = excluded.stream, body = excluded.body'
  return { sql, values: [id, tenant, Math.floor(until), body.length, answer.streams ? 1 : 0, body] }
}
