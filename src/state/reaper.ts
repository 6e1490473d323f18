import type { Clock } from '../core/clock.ts'
import type { TransactionalDatabase } from './database.ts'
import { writeOff } from './leases.ts'

export interface ReaperOptions {
  readonly database: TransactionalDatabase
  readonly clock: Clock
  /** This process. */
  readonly owner: string
  /** How many looks in a row another may say nothing. Counted, not timed: who sleeps himself takes nobody for dead. */
  readonly patience: number
  /** Is told what was booked for a dead process, in the units of its meters. */
  readonly lost?: ((amount: number) => void) | undefined
}

/** Finds processes that have died with something leased, and books that. Every living process looks. */
export class Reaper {
  readonly #options: ReaperOptions
  #seen = new Map<string, { readonly beat: number; readonly looks: number }>()

  constructor(options: ReaperOptions) {
    this.#options = options
  }

  /** Resolves with how many others there are. Rejects with a `StoreError`. */
  async look(): Promise<number> {
    const { database, owner, patience } = this.#options
    const rows = await database.all('SELECT owner, beat FROM owners WHERE owner <> ?1', [owner])
    const seen = new Map<string, { beat: number; looks: number }>()
    for (const row of rows) {
      const [other, beat] = [String(row.owner), Number(row.beat)]
      const before = this.#seen.get(other)
      const looks = before?.beat === beat ? before.looks + 1 : 0
      if (looks >= patience) await this.#reap(other, beat)
      else seen.set(other, { beat, looks })
    }
    this.#seen = seen
    return seen.size
  }

  /** Books what a process had leased of which somebody knows that it is dead. Rejects with a `StoreError`. */
  async bury(other: string): Promise<void> {
    this.#seen.delete(other)
    await this.#writeOff(other, () => true)
  }

  async #reap(other: string, beat: number): Promise<void> {
    // Else another was faster, or it lives.
    await this.#writeOff(other, (last) => last === beat)
  }

  async #writeOff(other: string, isDead: (beat: number) => boolean): Promise<void> {
    const { database, clock, lost } = this.#options
    const amount = await database.transaction(async (inside) => {
      const [row] = await inside.all('SELECT beat FROM owners WHERE owner = ?1', [other])
      return row && isDead(Number(row.beat)) ? writeOff(inside, other, Math.floor(clock.now())) : 0
    })
    if (amount > 0) lost?.(amount)
  }
}
