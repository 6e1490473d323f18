import { type Clock, systemClock } from '../../src/core/clock.ts'

/** The time of a process that can be stopped: its timers don't run out meanwhile. */
export class StoppableClock implements Clock {
  #stopped = false
  readonly #missed = new Set<() => void>()

  now(): number {
    return systemClock.now()
  }

  after(ms: number, action: () => void): () => void {
    const cancel = systemClock.after(ms, () => {
      if (this.#stopped) this.#missed.add(action)
      else action()
    })
    return () => {
      this.#missed.delete(action)
      cancel()
    }
  }

  stop(): void {
    this.#stopped = true
  }

  goOn(): void {
    this.#stopped = false
    for (const action of [...this.#missed]) {
      this.#missed.delete(action)
      action()
    }
  }
}
