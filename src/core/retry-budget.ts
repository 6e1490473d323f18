import type { Clock } from './clock.ts'

/** The share of requests that may be asked again. */
const share = 0.2
/** Retries per second that are always allowed, so that a gateway with little traffic retries too. */
const always = 10
/** Retries that can be saved up. */
const most = 100

/** Milliseconds: the longest wait before a retry that an upstream may ask for. A longer one is for the client. */
export const patience = 10_000

/**
 * Limits the retries of the whole process to a share of its requests. When everything fails, retries would otherwise
 * multiply the load on upstreams that are failing because of it.
 */
export class RetryBudget {
  readonly #clock: Clock
  #balance = most
  #filled: number

  constructor(clock: Clock) {
    this.#clock = clock
    this.#filled = clock.now()
  }

  /** Goes on with what another has left. */
  adopt(other: RetryBudget): void {
    this.#balance = other.#balance
    this.#filled = other.#filled
  }

  /** A request has come in. */
  deposit(): void {
    if (this.#balance < most) this.#balance += share
  }

  /** Whether one more retry is allowed. */
  withdraw(): boolean {
    const now = this.#clock.now()
    this.#balance = Math.min(most, this.#balance + (Math.max(0, now - this.#filled) / 1000) * always)
    this.#filled = now
    if (this.#balance < 1) return false
    this.#balance--
    return true
  }
}
