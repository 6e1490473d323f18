import type { Statements } from './database.ts'
import { after, ahead, type Draft, draftOf, left, usable } from './draft.ts'
import type { Leased, Leases } from './leases.ts'
import type { Slice } from './slice.ts'

/** A request that waits for what the slices of this process don't have. */
export interface Want {
  readonly slices: readonly Slice[]
  readonly needs: readonly number[]
  /** Whether it was already refused once. */
  readonly again: boolean
  readonly answer: (verdict: Verdict) => void
  readonly fail: (error: unknown) => void
}

/** Undefined: it has got all. */
export type Verdict = Shortage | undefined

export interface Shortage {
  /** Which of the slices had too little. */
  readonly index: number
  readonly left: number
  /** How much more it would have needed. */
  readonly short: number
  /** Whether no other process can help, whatever it gives back. */
  readonly final: boolean
}

/**
 * One transaction: tells the store what the slices have spent, gives back what they don't need, and leases what requests
 * wait for. Either all of it becomes true in this process (`apply`), or none (`undo`), as it does in the store.
 */
export class Round {
  readonly beat: number
  readonly #leases: Leases
  readonly #slices: readonly Slice[]
  readonly #wants: readonly Want[]
  /** Whether other processes use the store, so that what is leased ahead may be missing elsewhere. */
  readonly #shared: boolean
  #drafts: readonly Draft[] = []
  #reborn = false
  readonly #undos: (() => void)[] = []
  readonly #verdicts = new Map<Want, Verdict>()

  constructor(options: {
    readonly beat: number
    readonly leases: Leases
    readonly slices: readonly Slice[]
    readonly wants: readonly Want[]
    readonly shared: boolean
  }) {
    this.beat = options.beat
    this.#leases = options.leases
    this.#slices = [...new Set([...options.wants.flatMap(({ slices }) => slices), ...options.slices])]
    this.#wants = options.wants
    this.#shared = options.shared
  }

  async run(inside: Statements): Promise<void> {
    const [reborn, found] = await Promise.all([
      this.#leases.beat(inside, this.beat),
      Promise.all(this.#slices.map((slice) => this.#leases.read(inside, slice))),
    ])
    this.#reborn = reborn
    // Nothing waits from here to where all is decided, so nothing comes between.
    this.#drafts = this.#slices.map((slice, index) => draftOf(slice, found[index] as Leased))
    for (const draft of this.#drafts)
      if (draft.found.lease === undefined || draft.found.writtenOff) this.#dropRoom(draft)
    for (const want of this.#wants) this.#verdicts.set(want, this.#decide(want))
    for (const draft of this.#drafts) this.#giveBack(draft)
    await Promise.all(this.#drafts.map((draft) => this.#leases.write(inside, draft.slice, draft.found, after(draft))))
  }

  apply(): void {
    for (const { slice, told, spare, held, given, asks } of this.#drafts) {
      slice.spent -= told.spent
      slice.over -= told.over
      slice.room += spare
      slice.held += held
      slice.asks = asks
      if (given > 0) slice.dry.until = 0
    }
  }

  undo(): void {
    for (const undo of this.#undos) undo()
  }

  /** Frees what requests have got that were told of a failure meanwhile. After `apply`. */
  release(): void {
    for (const [{ slices, needs }, verdict] of this.#verdicts) {
      if (verdict === undefined) for (const [index, slice] of slices.entries()) slice.settle(needs[index] as number, 0)
    }
  }

  /** What the store has said to each. */
  get verdicts(): ReadonlyMap<Want, Verdict> {
    return this.#verdicts
  }

  /** Whether others took this process for dead: all that it has leased may have been written off. */
  get reborn(): boolean {
    return this.#reborn
  }

  get slices(): readonly Slice[] {
    return this.#slices
  }

  #decide({ slices, needs, again }: Want): Verdict {
    const drafts = slices.map((slice) => this.#drafts.find((draft) => draft.slice === slice) as Draft)
    const shorts = drafts.map((draft, index) => Math.max(0, (needs[index] as number) - usable(draft) - draft.spare))
    const index = drafts.findIndex((draft, at) => (shorts[at] as number) > 0 && (shorts[at] as number) > left(draft))
    const refusing = drafts[index]
    if (refusing) {
      const short = shorts[index] as number
      const final = (needs[index] as number) > refusing.slice.limit - refusing.spent
      if (!again && !final && this.#shared) refusing.asks++
      return { index, short, final, left: Math.max(0, left(refusing) + usable(refusing) + refusing.spare) }
    }
    for (const [at, draft] of drafts.entries()) this.#grant(draft, needs[at] as number, shorts[at] as number)
    return undefined
  }

  #grant(draft: Draft, need: number, short: number): void {
    const { slice } = draft
    const size = short > 0 ? this.#sizeOf(draft, short) : 0
    const taken = Math.min(need, usable(draft))
    slice.take(taken)
    this.#undos.push(() => slice.take(-taken))
    slice.taken += need - taken
    draft.granted += size
    draft.spare += size - (need - taken)
    draft.held += need - taken
  }

  /** What to lease where `short` is missing: more, so that the next requests needn't ask. */
  #sizeOf(draft: Draft, short: number): number {
    if (draft.slice.returns && this.#shared) return short
    return Math.max(short, ahead(draft))
  }

  #giveBack(draft: Draft): void {
    const { slice } = draft
    const wanted = slice.asks !== undefined && draft.found.asks !== slice.asks
    const all = slice.idle || wanted || left(draft) < 0 || (slice.returns && this.#shared)
    const keep = all ? 0 : Math.max(ahead(draft), slice.taken, slice.recent)
    this.#take(draft, Math.max(0, slice.room - keep))
  }

  /** What is free was written off, and may be others' by now. */
  #dropRoom(draft: Draft): void {
    this.#take(draft, draft.slice.room)
  }

  #take(draft: Draft, amount: number): void {
    const { slice } = draft
    slice.room -= amount
    draft.given += amount
    this.#undos.push(() => {
      slice.room += amount
    })
  }
}
