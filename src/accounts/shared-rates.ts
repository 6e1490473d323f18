import type { Clock } from '../core/clock.ts'
import { StoreError, type TransactionalDatabase } from '../state/database.ts'
import type { Company } from '../state/meters.ts'
import { RoundQueue } from '../state/round-queue.ts'
import { RateRound, type RateShortage, type RateWant } from './rate-round.ts'
import { type RateBook, type RateKind, type Take, type Taken, type TooFast, unused } from './rates.ts'
import { Tranche } from './tranche.ts'

export interface SharedRatesOptions {
  readonly database: TransactionalDatabase
  readonly clock: Clock
  /** The processes that use the database. */
  readonly company: Company
  /** Milliseconds until what is free goes back to the others. */
  readonly flushMs?: number
}

/** Requests that wait, or tranches, in one transaction: a few milliseconds' work at most. */
const most = 64
/** Names of limits are those of keys, models, and whatever clients call their users. */
const longestName = 512
/** Tranches that are kept, before those are forgotten that are of no use. */
const mostTranches = 10_000
/** Milliseconds for which what the store has said of the others is good enough to refuse a request. */
const fresh = 100
/** A tranche is a hundred milliseconds of a minute, and a sixteenth of what is left at most. */
const shareOfMinute = 600
const shareOfLeft = 16
/** Of a process that is alone, so that nobody misses what it has: it needn't ask often. */
const shareAlone = 4
/** Milliseconds between two looks of such a one for whether it still is, and others are to have that. */
const lookMs = 500

/**
 * Limits a minute that many processes share in one database. Each takes a tranche ahead where it is of use, so that most
 * requests are let in without a wait. All together never let in more than a limit and what comes again since. What a dead
 * process had taken comes again within a minute.
 */
export class SharedRates implements RateBook<Tranche> {
  readonly #database: TransactionalDatabase
  readonly #clock: Clock
  readonly #company: Company
  readonly #flushMs: number
  /** By subject: a name with the kind that is made for each request would have to be hashed each time. */
  readonly #tranches = { requests: new Map<string, Tranche>(), tokens: new Map<string, Tranche>() }
  #mostTranches = mostTranches
  readonly #queue: RoundQueue<RateWant, Tranche>
  /** Those that may have something free, or owe something. */
  readonly #open = new Set<Tranche>()
  #flushing: (() => void) | undefined
  #closed = false

  constructor({ database, clock, company, flushMs = 50 }: SharedRatesOptions) {
    this.#database = database
    this.#clock = clock
    this.#company = company
    this.#flushMs = flushMs
    this.#queue = new RoundQueue({ clock, most, round: (wants, tranches) => this.#round(wants, tranches) })
  }

  take(takes: readonly Take[]): ReturnType<RateBook<Tranche>['take']> {
    const now = this.#clock.now()
    const all = new Array<Taken<Tranche>>(takes.length)
    for (let index = 0; index < takes.length; index++) {
      const take = takes[index] as Take
      all[index] = { take, bucket: this.#of(take, now) }
    }
    let isFree = !this.#closed
    for (let index = 0; index < all.length; index++) {
      const { take, bucket } = all[index] as Taken<Tranche>
      const wait = bucket.wait(take.need, now)
      if (wait > 0 && this.#knows(bucket, now)) return tooFast(all, { index, wait, left: bucket.left(now) })
      if (wait > 0 || bucket.free(now) < Math.min(take.need, take.limit)) isFree = false
    }
    for (const { bucket } of all) {
      bucket.users++
      bucket.uses++
    }
    if (!isFree) return this.#ask(all)
    for (const { take, bucket } of all) bucket.take(Math.min(take.need, take.limit))
    return all
  }

  settle(taken: readonly Taken<Tranche>[], used: Readonly<Record<RateKind, number>>): void {
    for (const { take, bucket } of taken) {
      bucket.users--
      const difference = unused(take, used)
      if (difference === 0) continue
      bucket.giveBack(difference)
      this.#opened(bucket)
    }
  }

  /** Gives all back. Never rejects: what can't be given back comes again within a minute. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#flushing?.()
    for (const tranche of this.#open) this.#queue.add(tranche)
    await this.#queue.run()
  }

  /** Whether it needn't ask the store to refuse. */
  #knows({ askedAt }: Tranche, now: number): boolean {
    return now - askedAt < (this.#company.alone ? Number.POSITIVE_INFINITY : fresh)
  }

  async #ask(taken: readonly Taken<Tranche>[]): Promise<readonly Taken<Tranche>[] | TooFast> {
    const { promise, resolve, reject } = Promise.withResolvers<RateShortage | undefined>()
    if (this.#closed) reject(new StoreError('the limits are closed'))
    else {
      this.#company.join()
      this.#queue.ask({ taken, answer: resolve, fail: reject })
    }
    let isTaken = false
    try {
      const shortage = await promise
      isTaken = shortage === undefined
      return shortage ? tooFast(taken, shortage) : taken
    } finally {
      if (!isTaken) for (const { bucket } of taken) bucket.users--
    }
  }

  async #round(wants: readonly RateWant[], tranches: readonly Tranche[]): Promise<void> {
    const round = new RateRound({ wants, tranches, ahead: (tranche, left) => this.#ahead(tranche, left) })
    try {
      await this.#database.transaction((inside) => round.run(inside, this.#clock))
      round.apply()
    } catch (error) {
      round.fail(error)
    }
    for (const tranche of round.tranches) this.#opened(tranche)
  }

  #ahead(tranche: Tranche, left: number): number {
    if (this.#closed) return 0
    if (this.#company.alone) return left / shareAlone
    return Math.min(left / shareOfLeft, kept(tranche))
  }

  #opened(tranche: Tranche): void {
    this.#open.add(tranche)
    if (!this.#closed)
      this.#flushing ??= this.#clock.after(this.#company.alone ? lookMs : this.#flushMs, () => this.#flush())
  }

  #flush(): void {
    this.#flushing = undefined
    const now = this.#clock.now()
    const { alone } = this.#company
    const open = [...this.#open]
    this.#open.clear()
    let isDue = false
    for (const tranche of open) {
      tranche.before = tranche.uses
      tranche.uses = 0
      const free = tranche.free(now)
      if (tranche.debt > 0 || (!alone && free > kept(tranche))) {
        this.#queue.add(tranche)
        isDue = true
      } else if (free > 0) this.#opened(tranche)
    }
    if (isDue) void this.#queue.run()
  }

  #of({ subject, kind, limit }: Take, now: number): Tranche {
    const tranches = this.#tranches[kind]
    const longest = longestName - kind.length - 1
    const whose = subject.length > longest ? subject.slice(0, longest) : subject
    const known = tranches.get(whose)
    if (known) {
      if (known.limit !== limit) known.resize(limit, now)
      return known
    }
    if (this.#size >= this.#mostTranches) this.#forget(now)
    const tranche = new Tranche(`${kind} ${whose}`, limit, now)
    tranches.set(whose, tranche)
    return tranche
  }

  #forget(now: number): void {
    for (const tranches of Object.values(this.#tranches))
      for (const [subject, tranche] of tranches)
        if (tranche.users === 0 && tranche.debt === 0 && tranche.free(now) <= 0) tranches.delete(subject)
    this.#mostTranches = Math.max(mostTranches, this.#size * 2)
  }

  get #size(): number {
    const { requests, tokens } = this.#tranches
    return requests.size + tokens.size
  }
}

/** What a process that isn't alone may have free. */
function kept({ limit, isBusy }: Tranche): number {
  return isBusy ? Math.floor(limit / shareOfMinute) : 0
}

function tooFast(all: readonly Taken<Tranche>[], { index, wait, left }: RateShortage): TooFast {
  return { take: (all[index] as Taken).take, wait, left, all }
}
