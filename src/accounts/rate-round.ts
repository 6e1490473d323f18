import type { Clock } from '../core/clock.ts'
import type { Statements } from '../state/database.ts'
import { type RateRow, readRate, writeRate } from '../state/rate-rows.ts'
import { Bucket } from './bucket.ts'
import type { Taken } from './rates.ts'
import type { Handed, Tranche } from './tranche.ts'

/** A request that waits for what the tranches of this process don't have. */
export interface RateWant {
  readonly taken: readonly Taken<Tranche>[]
  readonly answer: (shortage: RateShortage | undefined) => void
  readonly fail: (error: unknown) => void
}

/** Which of the limits has too little, what it has left, and how long that will be so. */
export interface RateShortage {
  readonly index: number
  readonly left: number
  readonly wait: number
}

/** How much of a tranche to take ahead, where so much is left of its limit. */
export type Ahead = (tranche: Tranche, left: number) => number

interface Draft {
  readonly tranche: Tranche
  readonly handed: Handed
  /** As it will be in the store, as of the time `at`. */
  readonly bucket: Bucket
  readonly at: number
}

/** Milliseconds by which clocks may differ. A time beyond that was written by one that has been set right since. */
const clocksApart = 60_000

/**
 * One transaction: gives all back that tranches have free, takes what requests wait for, and then takes ahead anew. It may
 * be written or not, and nobody need know: what is lost so comes again within a minute.
 */
export class RateRound {
  readonly #tranches: readonly Tranche[]
  readonly #wants: readonly RateWant[]
  readonly #ahead: Ahead
  readonly #drafts = new Map<Tranche, Draft>()
  readonly #verdicts = new Map<RateWant, RateShortage | undefined>()

  constructor(options: {
    readonly tranches: Iterable<Tranche>
    readonly wants: readonly RateWant[]
    readonly ahead: Ahead
  }) {
    const { tranches, wants, ahead } = options
    const wanted = wants.flatMap(({ taken }) => taken.map(({ bucket }) => bucket))
    this.#tranches = [...new Set([...wanted, ...tranches])]
    this.#wants = wants
    this.#ahead = ahead
  }

  get tranches(): readonly Tranche[] {
    return this.#tranches
  }

  async run(inside: Statements, clock: Pick<Clock, 'now'>): Promise<void> {
    const rows = await Promise.all(this.#tranches.map(({ name }) => readRate(inside, name)))
    // Nothing waits from here to where all is decided, so nothing comes between.
    const written = this.#decide(rows, clock.now())
    await Promise.all(written.map((row) => writeRate(inside, row)))
  }

  apply(): void {
    for (const tranche of this.#drafts.keys()) tranche.written()
    for (const [want, shortage] of this.#verdicts) want.answer(shortage)
  }

  fail(error: unknown): void {
    for (const { tranche, handed } of this.#drafts.values()) tranche.failed(handed)
    for (const want of this.#wants) want.fail(error)
  }

  #decide(rows: readonly (Pick<RateRow, 'used' | 'at'> | undefined)[], now: number): readonly RateRow[] {
    for (const [index, tranche] of this.#tranches.entries())
      this.#drafts.set(tranche, draftOf(tranche, rows[index], now))
    for (const want of this.#wants) this.#verdicts.set(want, this.#take(want, now))
    return [...this.#drafts.values()].map(({ tranche, bucket, at }) => {
      const ahead = Math.max(0, Math.floor(this.#ahead(tranche, bucket.left(now))))
      bucket.take(ahead)
      tranche.told(bucket, ahead, now)
      return { name: tranche.name, used: bucket.missing(now), at, fullAt: at + bucket.reset(now) }
    })
  }

  /** Takes all or none. */
  #take({ taken }: RateWant, now: number): RateShortage | undefined {
    const buckets = taken.map(({ bucket }) => (this.#drafts.get(bucket) as Draft).bucket)
    for (const [index, bucket] of buckets.entries()) {
      const wait = bucket.wait((taken[index] as Taken).take.need, now)
      if (wait > 0) return { index, wait, left: bucket.left(now) }
    }
    for (const [index, bucket] of buckets.entries())
      bucket.take(Math.min((taken[index] as Taken).take.need, bucket.limit))
    return undefined
  }
}

function draftOf(tranche: Tranche, row: Pick<RateRow, 'used' | 'at'> | undefined, now: number): Draft {
  const { limit } = tranche
  const { used = 0, at: before = now } = row ?? {}
  const since = before > now + clocksApart ? now : before
  const bucket = new Bucket(limit, since, limit - used)
  const handed = tranche.hand(now)
  bucket.giveBack(handed.room - handed.debt, now)
  // Another's clock may be ahead: what has come until then has come once.
  return { tranche, handed, bucket, at: Math.max(since, now) }
}
