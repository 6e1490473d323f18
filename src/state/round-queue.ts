import type { Clock } from '../core/clock.ts'

/** Whatever a round is about. `users`: who needs it, so that nobody forgets it meanwhile. */
export interface Member {
  users: number
}

export interface RoundQueueOptions<Want, M extends Member> {
  readonly clock: Pick<Clock, 'after'>
  /** Wants, or members, in one round: a few milliseconds' work at most. */
  readonly most: number
  /** Never rejects. */
  readonly round: (wants: readonly Want[], members: readonly M[]) => Promise<void>
}

/**
 * Runs one round after another, each a transaction, as long as there is something to ask of the store or to tell it. What
 * comes during one waits for the next.
 */
export class RoundQueue<Want, M extends Member> {
  readonly #options: RoundQueueOptions<Want, M>
  readonly #wants: Want[] = []
  readonly #due = new Set<M>()
  #isWanted = false
  #running: Promise<void> | undefined

  constructor(options: RoundQueueOptions<Want, M>) {
    this.#options = options
  }

  ask(want: Want): void {
    this.#wants.push(want)
    void this.run()
  }

  /** For the next round. Until that is over it must not be forgotten, or another of the same name would take its place. */
  add(member: M): void {
    if (this.#due.has(member)) return
    this.#due.add(member)
    member.users++
  }

  /** Resolves when there is nothing left to do. `anyway`: one round, even if there is nothing now. */
  run(anyway = false): Promise<void> {
    this.#isWanted ||= anyway
    this.#running ??= this.#runAll()
    return this.#running
  }

  async #runAll(): Promise<void> {
    const { clock, most, round } = this.#options
    // What comes at once is asked for at once.
    await undefined
    while (this.#isPending) {
      this.#isWanted = false
      const members = [...this.#due].slice(0, most)
      for (const member of members) this.#due.delete(member)
      await round(this.#wants.splice(0, most), members)
      for (const member of members) member.users--
      // Others have their turn, in this process and in the store.
      if (this.#isPending) await new Promise<void>((resolve) => clock.after(0, resolve))
    }
    this.#running = undefined
  }

  get #isPending(): boolean {
    return this.#isWanted || this.#wants.length + this.#due.size > 0
  }
}
