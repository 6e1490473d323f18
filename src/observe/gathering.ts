import type { Clock } from '../core/clock.ts'
import type { Observer, RequestReport } from '../core/report.ts'

/** Reports that wait for others at most, and milliseconds that they do. */
const enough = 64
const patience = 20

/**
 * Tells observers of requests some at a time, after their answers were sent. One at a time would cost several times as
 * much: between two of them a request pushes all that an observer runs and reads out of the processor's caches.
 */
export class Gathering {
  readonly #clock: Pick<Clock, 'after'>
  #waiting: {
    readonly observer: Observer
    readonly report: RequestReport
    readonly failed: (thrown: unknown) => void
  }[] = []
  #stopTimer: (() => void) | undefined

  constructor(clock: Pick<Clock, 'after'>) {
    this.#clock = clock
  }

  /** The same observer, told later of what is over. `failed`: what it throws then. */
  later(observer: Observer, failed: (thrown: unknown) => void): Observer {
    return {
      content: observer.content === true,
      follows: observer.follows === true,
      began: (arrival) => observer.began?.(arrival),
      over: (report) => {
        this.#waiting.push({ observer, report, failed })
        if (this.#waiting.length >= enough) this.drain()
        else this.#stopTimer ??= this.#clock.after(patience, this.drain)
      },
    }
  }

  /** Tells of all that wait. */
  readonly drain = (): void => {
    this.#stopTimer?.()
    this.#stopTimer = undefined
    const all = this.#waiting
    this.#waiting = []
    for (const { observer, report, failed } of all) {
      try {
        observer.over(report)
      } catch (thrown) {
        failed(thrown)
      }
    }
  }
}
