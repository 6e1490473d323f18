import type { Clock } from '../core/clock.ts'
import type { TransactionalDatabase } from './database.ts'
import type { Leases } from './leases.ts'
import { Round, type Want } from './round.ts'
import { RoundQueue } from './round-queue.ts'
import type { Slice } from './slice.ts'

/** Requests that wait, or slices, in one transaction: a few milliseconds' work at most. */
const most = 32

/**
 * Tells the store of slices, and asks it for more, in rounds. Where it isn't known whether one was written, since the store
 * failed meanwhile, that is found out before the next.
 */
export class Rounds {
  readonly #database: TransactionalDatabase
  readonly #leases: Leases
  readonly #queue: RoundQueue<Want, Slice>
  readonly #all: () => Iterable<Slice>
  readonly #over: (slices: readonly Slice[]) => void
  #beat = 0
  #doubtful: Round | undefined
  /** Whether other processes use the store. */
  shared = true

  /** `all`: those that this process has. `over` is told which a round was about, whether it was written or not. */
  constructor(options: {
    readonly database: TransactionalDatabase
    readonly leases: Leases
    readonly clock: Clock
    readonly all: () => Iterable<Slice>
    readonly over: (slices: readonly Slice[]) => void
  }) {
    this.#database = options.database
    this.#leases = options.leases
    const round = (wants: readonly Want[], slices: readonly Slice[]) => this.#one(wants, slices)
    this.#queue = new RoundQueue({ clock: options.clock, most, round })
    this.#all = options.all
    this.#over = options.over
  }

  ask(want: Want): void {
    this.#queue.ask(want)
  }

  /** Resolves when there is nothing left to do, or when what there is has failed. Never rejects. */
  tell(slices: readonly Slice[]): Promise<void> {
    for (const slice of slices) this.#queue.add(slice)
    return this.#queue.run()
  }

  /** Tells others that this process lives, even if there is nothing else to say. */
  beat(): Promise<void> {
    return this.#queue.run(true)
  }

  async #one(wants: readonly Want[], slices: readonly Slice[]): Promise<void> {
    const round = new Round({ beat: ++this.#beat, leases: this.#leases, slices, wants, shared: this.shared })
    for (const slice of round.slices) slice.users++
    let began = false
    try {
      await this.#clearDoubt()
      began = true
      await this.#database.transaction((inside) => round.run(inside))
      round.apply()
    } catch (error) {
      for (const want of wants) want.fail(error)
      if (began) {
        this.#doubtful = round
        this.#over(slices)
      } else this.#leave(round)
      return
    }
    if (round.reborn) for (const slice of this.#all()) if (!slice.done) this.#queue.add(slice)
    for (const [want, verdict] of round.verdicts) want.answer(verdict)
    this.#leave(round)
  }

  #leave({ slices }: Round): void {
    for (const slice of slices) slice.users--
    this.#over(slices)
  }

  /** A transaction that failed at its end may have been written all the same: then its beat is there. */
  async #clearDoubt(): Promise<void> {
    const doubtful = this.#doubtful
    if (!doubtful) return
    const last = await this.#database.transaction((inside) => this.#leases.lastBeat(inside))
    this.#doubtful = undefined
    if (last === doubtful.beat) {
      doubtful.apply()
      doubtful.release()
    } else doubtful.undo()
    this.#leave(doubtful)
  }
}
