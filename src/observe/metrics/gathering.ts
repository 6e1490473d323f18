import type { Clock } from '../../core/clock.ts'
import { sumOf, type Tally, withoutGauges } from './metric.ts'

/** Milliseconds that a process has to tell its counts. */
const patience = 1_000

/** A question to all processes that is not answered by all. */
interface Round<Member> {
  readonly missing: Set<Member>
  readonly done: () => void
}

/**
 * Adds up the counts of several processes. What was heard of one last counts where it doesn't answer, and for ever once
 * it has ended, so that no counter falls.
 */
export class Gathering<Member> {
  readonly #clock: Clock
  readonly #last = new Map<Member, Tally>()
  #ended: Tally | undefined
  readonly #rounds = new Map<number, Round<Member>>()
  #id = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** A process has told its counts; in a round, if `id` is given. */
  heard(member: Member, tally: Tally, id?: number): void {
    this.#last.set(member, tally)
    if (id !== undefined) this.#over(member, id)
  }

  /** A process has ended: what was heard of it last has been told for good. */
  ended(member: Member): void {
    const last = this.#last.get(member)
    if (last) {
      const left = withoutGauges(last)
      this.#ended = this.#ended ? sumOf([this.#ended, left]) : left
      this.#last.delete(member)
    }
    for (const id of [...this.#rounds.keys()]) this.#over(member, id)
  }

  /** Asks all processes, by `ask`, which gets the number of the round. Never rejects. */
  async gather(members: Iterable<Member>, ask: (member: Member, id: number) => void): Promise<Tally> {
    const missing = new Set(members)
    const id = ++this.#id
    await new Promise<void>((done) => {
      const cancel = this.#clock.after(patience, done)
      const over = () => {
        cancel()
        done()
      }
      this.#rounds.set(id, { missing, done: over })
      if (missing.size === 0) over()
      for (const member of missing) ask(member, id)
    })
    this.#rounds.delete(id)
    return sumOf([...(this.#ended ? [this.#ended] : []), ...this.#last.values()])
  }

  #over(member: Member, id: number): void {
    const round = this.#rounds.get(id)
    if (!round) return
    round.missing.delete(member)
    if (round.missing.size === 0) round.done()
  }
}
