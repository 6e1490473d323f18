import { type Account, checkAmounts, Grant, type Take } from './grant.ts'
import type { Granted, Hold, Meter, MeterBook, Meters, Reading, Refused } from './meters.ts'

/** Meters of this process alone, forgotten when it ends. */
export class MemoryMeters implements Meters, MeterBook {
  readonly #accounts = new Map<string, Count>()

  reserve(holds: readonly Hold[]): Granted | Refused {
    const counts = holds.map(({ meter }) => this.#countOf(meter))
    const amounts = holds.map(({ amount }) => amount)
    checkAmounts(amounts)
    if (take(counts, amounts)) return new Grant(counts, amounts, { take, settled: (settled) => this.#forget(settled) })
    this.#forget(counts)
    const short = counts.findIndex((count, index) => count.left < (amounts[index] as number))
    return { granted: false, meter: (holds[short] as Hold).meter, left: Math.max(0, (counts[short] as Count).left) }
  }

  async read(meter: Pick<Meter, 'subject' | 'window'>): Promise<Reading> {
    const { spent = 0, held = 0 } = this.#accounts.get(nameOf(meter)) ?? {}
    return { spent, held, lost: 0 }
  }

  /** Nothing is ever lost without the process. */
  async forgive(): Promise<void> {}

  #countOf(meter: Meter): Count {
    const name = nameOf(meter)
    let count = this.#accounts.get(name)
    if (!count) {
      count = new Count(name, meter.returns ?? false)
      this.#accounts.set(name, count)
    }
    count.limit = meter.limit
    return count
  }

  /** Keeps nothing of meters that say nothing, such as those of requests at once. */
  #forget(counts: readonly Count[]): void {
    for (const { name, spent, held, users } of counts) if (spent + held + users === 0) this.#accounts.delete(name)
  }
}

const nameOf = ({ subject, window }: Pick<Meter, 'subject' | 'window'>) => `${window} ${subject}`

class Count implements Account {
  readonly name: string
  readonly #returns: boolean
  limit = 0
  spent = 0
  held = 0
  users = 0

  constructor(name: string, returns: boolean) {
    this.name = name
    this.#returns = returns
  }

  get left(): number {
    return this.limit - this.spent - this.held
  }

  settle(held: number, used: number): void {
    this.held -= held
    if (!this.#returns) this.spent += used
  }
}

const take = ((counts: readonly Count[], amounts: readonly number[]) => {
  if (counts.some((count, index) => count.left < (amounts[index] as number))) return false
  for (const [index, count] of counts.entries()) count.held += amounts[index] as number
  return true
}) satisfies Take<Count>
