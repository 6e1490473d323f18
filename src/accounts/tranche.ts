import { Bucket } from './bucket.ts'
import type { Level } from './rates.ts'

/** What a round takes out of a tranche, to tell it to the store. */
export interface Handed {
  /** What was free. */
  readonly room: number
  /** What was used beyond what was taken. */
  readonly debt: number
}

/**
 * What one process knows of a limit a minute that several share, and what it has taken of it ahead. That stays good until
 * the limit is full without it.
 */
export class Tranche implements Level {
  readonly name: string
  /** Requests that wait or aren't settled, and rounds. */
  users = 0
  /** Takes since the last flush, and between the one before and that. */
  uses = 0
  before = 0
  /** As it is in the store, as far as is known. */
  #shared: Bucket
  #askedAt = Number.NEGATIVE_INFINITY
  #room = 0
  /** Taken ahead as soon as the store has it written. */
  #coming = 0
  #debt = 0

  constructor(name: string, limit: number, now: number) {
    this.name = name
    this.#shared = new Bucket(limit, now)
  }

  get limit(): number {
    return this.#shared.limit
  }

  get debt(): number {
    return this.#debt
  }

  /** When the store was last asked. */
  get askedAt(): number {
    return this.#askedAt
  }

  /** Whether it was of use more than once of late, so that it is likely to be again. */
  get isBusy(): boolean {
    return this.uses + this.before > 1
  }

  /** What can be taken without a word to the store. */
  free(now: number): number {
    this.#room = Math.min(this.#room, this.#shared.missing(now) - this.#coming)
    return this.#room
  }

  left(now: number): number {
    return Math.max(0, Math.floor(this.limit - this.#shared.missing(now) + this.#own(now)))
  }

  wait(need: number, now: number): number {
    return this.#shared.wait(Math.min(need, this.limit) - this.#own(now), now)
  }

  reset(now: number): number {
    return this.wait(this.limit, now)
  }

  resize(limit: number, now: number): void {
    this.#shared = this.#shared.resized(limit, now)
  }

  /** To be called where as much is free. */
  take(amount: number): void {
    this.#room -= amount
  }

  /** Gives back what was taken and not used; below 0, owes what was used beyond. */
  giveBack(amount: number): void {
    if (amount >= 0) {
      this.#room += amount
      return
    }
    this.#debt -= amount
    this.#shared.take(-amount)
  }

  /** For a round, which gives it to the store. */
  hand(now: number): Handed {
    const handed = { room: this.free(now), debt: this.#debt }
    this.#room = 0
    this.#debt = 0
    return handed
  }

  /** `shared`: what the store is about to have; `ahead` is taken out of it already. */
  told(shared: Bucket, ahead: number, now: number): void {
    this.#shared = shared
    this.#coming = ahead
    this.#askedAt = now
  }

  written(): void {
    this.#room += this.#coming
    this.#coming = 0
  }

  /**
   * Nobody knows whether it was written, so it neither has what the store may have got, nor may it keep quiet about what
   * it owes.
   */
  failed({ debt }: Handed): void {
    this.#coming = 0
    this.#debt += debt
    this.#askedAt = Number.NEGATIVE_INFINITY
  }

  #own(now: number): number {
    return this.free(now) + this.#coming
  }
}
