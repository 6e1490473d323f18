import type { Clock } from '../core/clock.ts'
import type { Database } from '../state/database.ts'

/** Milliseconds for which an isolate believes what it has read. */
const fresh = 10_000
/** Tenants that are remembered. Whoever has a key is one. */
const most = 1_000

/**
 * How often answers have been dropped, of each tenant and of all: what was kept under an earlier count is out of reach, in
 * all places at once, and so is what is under way.
 */
export class Generations {
  readonly #database: Pick<Database, 'all' | 'batch'>
  readonly #clock: Pick<Clock, 'now'>
  readonly #known = new Map<string, { readonly generation: string; readonly until: number }>()
  /** Nobody else knows it: nothing that is kept under it can be found after the next drop. */
  readonly #unknown = crypto.randomUUID()

  constructor(database: Pick<Database, 'all' | 'batch'>, clock: Pick<Clock, 'now'>) {
    this.#database = database
    this.#clock = clock
  }

  /** Never rejects. */
  of(tenant: string): string | Promise<string> {
    const known = this.#known.get(tenant)
    return known && this.#clock.now() < known.until ? known.generation : this.#read(tenant)
  }

  /** Drops what a tenant has, or all. */
  async next(tenant?: string): Promise<void> {
    const sql =
      'INSERT INTO revisions (name, value) VALUES (?1, 1) ON CONFLICT (name) DO UPDATE SET value = revisions.value + 1'
    await this.#database.batch([{ sql, values: [nameOf(tenant)] }])
    this.#known.clear()
  }

  async #read(tenant: string): Promise<string> {
    const until = this.#clock.now() + fresh
    try {
      const sql = 'SELECT name, value FROM revisions WHERE name = ?1 OR name = ?2'
      const rows = await this.#database.all(sql, [nameOf(), nameOf(tenant)])
      const count = (name: string) => Number(rows.find((row) => row.name === name)?.value ?? 0)
      const generation = `${count(nameOf())}.${count(nameOf(tenant))}`
      if (this.#known.size >= most) this.#known.clear()
      this.#known.set(tenant, { generation, until })
      return generation
    } catch {
      return this.#unknown
    }
  }
}

const nameOf = (tenant?: string) => (tenant === undefined ? 'cache' : `cache ${tenant}`)
