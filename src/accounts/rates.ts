import type { Clock } from '../core/clock.ts'
import { Bucket } from './bucket.ts'

export type RateKind = 'requests' | 'tokens'

/** What is taken of one limit. */
export interface Take {
  /** Whose it is: `key:ID`, `model:NAME`. */
  readonly subject: string
  readonly kind: RateKind
  /** In a minute. */
  readonly limit: number
  /** Of tokens more than the limit takes all there is: else it could never be. */
  readonly need: number
}

/** What there is of a limit, as far as is known. */
export type Level = Pick<Bucket, 'limit' | 'left' | 'reset'>

export interface Taken<L extends Level = Level> {
  readonly take: Take
  readonly bucket: L
}

/** The first limit that had too little left. `wait` in milliseconds. */
export interface TooFast {
  readonly take: Take
  readonly wait: number
  readonly left: number
  /** All that were asked for, as they are. */
  readonly all: readonly Taken[]
}

/** Limits a minute, wherever they are counted. */
export interface RateBook<L extends Level> {
  /** Takes all or none. Rejects with a `StoreError` if nobody can tell. */
  take(takes: readonly Take[]): readonly Taken<L>[] | TooFast | Promise<readonly Taken<L>[] | TooFast>
  /** Puts right what was taken, once what was used is known. Once. */
  settle(taken: readonly Taken<L>[], used: Readonly<Record<RateKind, number>>): void
}

/** Buckets that are kept. One that is full says no more than none, so there is no harm in forgetting it. */
const mostBuckets = 10_000

/** The limits per minute of this process. */
export class Rates implements RateBook<Bucket> {
  readonly #clock: Pick<Clock, 'now'>
  /** By subject: a name with the kind that is made for each request would have to be hashed each time. */
  readonly #buckets = { requests: new Map<string, Bucket>(), tokens: new Map<string, Bucket>() }

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock
  }

  take(takes: readonly Take[]): readonly Taken<Bucket>[] | TooFast {
    const now = this.#clock.now()
    const taken: Taken<Bucket>[] = []
    for (const take of takes) {
      const bucket = this.#bucketOf(take, now)
      const wait = bucket.wait(take.need, now)
      if (wait > 0) return { take, wait, left: bucket.left(now), all: this.#look(takes) }
      taken.push({ take, bucket })
    }
    for (const { take, bucket } of taken) bucket.take(Math.min(take.need, take.limit))
    return taken
  }

  settle(taken: readonly Taken<Bucket>[], used: Readonly<Record<RateKind, number>>): void {
    const now = this.#clock.now()
    for (const { take, bucket } of taken) {
      const difference = unused(take, used)
      if (difference !== 0) bucket.giveBack(difference, now)
    }
  }

  /** Gives back so much of one limit; below 0, takes it. */
  giveBack(take: Omit<Take, 'need'>, amount: number): void {
    const now = this.#clock.now()
    this.#bucketOf(take, now).giveBack(amount, now)
  }

  /** What is left of each. */
  levels(takes: readonly Take[]): readonly number[] {
    const now = this.#clock.now()
    return takes.map((take) => this.#bucketOf(take, now).left(now))
  }

  #look(takes: readonly Take[]): readonly Taken[] {
    const now = this.#clock.now()
    return takes.map((take) => ({ take, bucket: this.#bucketOf(take, now) }))
  }

  #bucketOf({ subject, kind, limit }: Omit<Take, 'need'>, now: number): Bucket {
    const { requests, tokens } = this.#buckets
    const buckets = kind === 'requests' ? requests : tokens
    const known = buckets.get(subject)
    if (known && known.limit === limit) return known
    if (!known && requests.size + tokens.size >= mostBuckets) this.#forget(now)
    const bucket = known ? known.resized(limit, now) : new Bucket(limit, now)
    buckets.set(subject, bucket)
    return bucket
  }

  #forget(now: number): void {
    for (const buckets of Object.values(this.#buckets))
      for (const [subject, bucket] of buckets) if (bucket.reset(now) === 0) buckets.delete(subject)
  }
}

/** Of what was taken, what was not used; below 0: more was used. */
export function unused({ kind, need, limit }: Take, used: Readonly<Record<RateKind, number>>): number {
  return Math.min(need, limit) - used[kind]
}

export function isTooFast(outcome: object): outcome is TooFast {
  return 'wait' in outcome
}
