import type { Clock } from '../core/clock.ts'

/** Gives up on a client that takes none of its pending bytes for `ms`. */
export class WriteTimeout {
  readonly #clock: Clock
  readonly #ms: number
  /** Bytes not taken yet. */
  readonly #waiting: () => number
  readonly #giveUp: () => void
  #cancel: (() => void) | undefined

  constructor(clock: Clock, ms: number, waiting: () => number, giveUp: () => void) {
    this.#clock = clock
    this.#ms = ms
    this.#waiting = waiting
    this.#giveUp = giveUp
  }

  /** Call when bytes start to wait. */
  start(): void {
    if (!this.#cancel) this.#watch(this.#waiting())
  }

  /** Call when all bytes were taken, or the answer has ended. */
  stop(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }

  #watch(before: number): void {
    this.#cancel = this.#clock.after(this.#ms, () => {
      const now = this.#waiting()
      // The client took some: it is slow, not dead.
      if (now < before) return this.#watch(now)
      this.#cancel = undefined
      this.#giveUp()
    })
  }
}
