import type { Clock } from '../core/clock.ts'
import type { TransactionalDatabase } from './database.ts'
import type { Leases } from './leases.ts'
import { Round, type Want } from './round.ts'
import type { Slice } from './slice.ts'

/** Requests that wait, or slices, in one transaction: a few milliseconds' work at most. */
const most = 32

/**
 * Runs one round after another, as long as there is something to tell the store or to ask of it. Where it isn't known
 * whether one was written, since the store failed meanwhile, that is found out before the next.
 */
export class Rounds {
  readonly #database: TransactionalDatabase
  readonly #leases: Leases
  readonly #clock: Clock
  readonly #all: () => Iterable<Slice>
  readonly #over: (slices: readonly Slice[]) => void
  #wants: Want[] = []
  readonly #due = new Set<Slice>()
  #beat = 0
  #beatDue = false
  #doubtful: Round | undefined
  #running: Promise<void> | undefined
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
    this.#clock = options.clock
    this.#all = options.all
    this.#over = options.over
  }

  ask(want: Want): void {
    this.#wants.push(want)
    void this.#run()
  }

  /** Resolves when there is nothing left to do, or when what there is has failed. Never rejects. */
  tell(slices: readonly Slice[]): Promise<void> {
    for (const slice of slices) this.#add(slice)
    return this.#run()
  }

  /** Tells others that this process lives, even if there is nothing else to say. */
  beat(): Promise<void> {
    this.#beatDue = true
    return this.#run()
  }

  #run(): Promise<void> {
    this.#running ??= this.#runAll()
    return this.#running
  }

  async #runAll(): Promise<void> {
    // Requests that come at once are asked for at once.
    await undefined
    while (this.#pending) {
      await this.#one(this.#wants.splice(0, most), [...this.#due].slice(0, most))
      // Others have their turn, in this process and in the store.
      if (this.#pending) await new Promise<void>((resolve) => this.#clock.after(0, resolve))
    }
    this.#running = undefined
  }

  get #pending(): boolean {
    return this.#beatDue || this.#wants.length + this.#due.size > 0
  }

  /** Whoever is to be in a round must not be forgotten before, or another slice of the same meter would take its place. */
  #add(slice: Slice): void {
    if (this.#due.has(slice)) return
    this.#due.add(slice)
    slice.users++
  }

  async #one(wants: readonly Want[], slices: readonly Slice[]): Promise<void> {
    this.#beatDue = false
    const round = new Round({ beat: ++this.#beat, leases: this.#leases, slices, wants, shared: this.shared })
    for (const slice of round.slices) slice.users++
    for (const slice of slices) {
      this.#due.delete(slice)
      slice.users--
    }
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
    if (round.reborn) for (const slice of this.#all()) if (!slice.done) this.#add(slice)
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
