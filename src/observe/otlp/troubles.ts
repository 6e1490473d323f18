import type { Clock } from '../../core/clock.ts'
import type { Log } from '../../core/log.ts'

/** Milliseconds between two entries of the log. */
const interval = 60_000

/** Tells of what was lost on the way to a collector: at once, and then no more than once a minute. */
export class Troubles {
  readonly #what: string
  readonly #log: Log
  readonly #clock: Pick<Clock, 'now'>
  #lost = 0
  #why: string | undefined
  #fate = ''
  #told = Number.NEGATIVE_INFINITY

  /** `what`: what is exported, such as `spans`. */
  constructor(what: string, log: Log, clock: Pick<Clock, 'now'>) {
    this.#what = what
    this.#log = log
    this.#clock = clock
  }

  /** `lost`: how much, if it is known. `why`: follows "the collector". `fate`: what becomes of it; absent: it was taken. */
  add(lost: number, why: string, fate = ''): void {
    this.#lost += lost
    this.#why = why
    this.#fate = fate
    if (this.#clock.now() - this.#told >= interval) this.tell()
  }

  /** Tells what hasn't been told yet. */
  tell(): void {
    if (this.#why === undefined) return
    const what = this.#lost > 0 ? `${this.#lost} ${this.#what} were lost` : `${this.#what}${this.#fate}`
    this.#log(`telemetry: ${what}: the collector ${this.#why}`, 'warn')
    this.#told = this.#clock.now()
    this.#lost = 0
    this.#why = undefined
  }
}
