import type { Clock } from '../core/clock.ts'
import type { Shortage } from './round.ts'
import type { Slice } from './slice.ts'

/** How many may wait for one meter: a flood of requests is refused at once. */
const most = 256

interface Waiting {
  readonly shortage: Shortage
  readonly looks: (() => void)[]
  readonly cancel: () => void
}

/**
 * Requests that found too little, and look again: others have given back by then what they don't need. One timer for
 * each meter, however many wait.
 */
export class Looks {
  readonly #clock: Clock
  readonly #ms: number
  readonly #waiting = new Map<Slice, Waiting>()

  constructor(clock: Clock, ms: number) {
    this.#clock = clock
    this.#ms = ms
  }

  /** What was missing for those that wait. Undefined: nobody does. */
  at(slice: Slice): Shortage | undefined {
    return this.#waiting.get(slice)?.shortage
  }

  /** Calls `look` later; false: too many wait already. */
  wait(slice: Slice, shortage: Shortage, look: () => void): boolean {
    const waiting = this.#waiting.get(slice)
    if (!waiting) {
      const cancel = this.#clock.after(this.#ms, () => this.#look(slice))
      this.#waiting.set(slice, { shortage, looks: [look], cancel })
      return true
    }
    if (waiting.looks.length >= most) return false
    waiting.looks.push(look)
    return true
  }

  /** Lets nobody wait any longer. */
  finish(): void {
    for (const slice of [...this.#waiting.keys()]) this.#look(slice)
  }

  #look(slice: Slice): void {
    const waiting = this.#waiting.get(slice)
    this.#waiting.delete(slice)
    waiting?.cancel()
    for (const look of waiting?.looks ?? []) look()
  }
}
