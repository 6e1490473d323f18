import type { Clock } from '../core/clock.ts'

/** Ends what is written to a client that takes nothing of it for `ms`. */
export class WriteTimeout {
  readonly #clock: Clock
  readonly #ms: number
  /** Bytes that still wait to be taken. */
  readonly #waiting: () => number
  readonly #giveUp: () => void
  #cancel: (() => void) | undefined

  constructor(clock: Clock, ms: number, waiting: () => number, giveUp: () => void) {
    this.#clock = clock
    this.#ms = ms
    this.#waiting = waiting
    this.#giveUp = giveUp
  }

  /** Bytes wait from now on. */
  start(): void {
    if (!this.#cancel) this.#watch(this.#waiting())
  }

  /** All were taken, or it is over. */
  stop(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }

  #watch(before: number): void {
    this.#cancel = this.#clock.after(this.#ms, () => {
      const now = this.#waiting()
      // Some were taken: a slow client is no dead one.
      if (now < before) return this.#watch(now)
      this.#cancel = undefined
      this.#giveUp()
    })
  }
}
