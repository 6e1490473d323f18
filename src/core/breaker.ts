import type { Severity } from '../wire/errors.ts'

/** When a deployment is left alone, and for how long. Times in milliseconds. */
export interface Cooldown {
  /** Failures in a row that open the breaker. */
  readonly allowedFails: number
  /** The share of failed attempts in the last `window` that opens it, once there were `minRequests`. */
  readonly failureRate: number
  readonly minRequests: number
  readonly window: number
  /** The first cooldown. Each one that follows without a success in between is twice as long, up to `longest`. */
  readonly cooldownTime: number
  readonly longest: number
}

/** A rejected deployment is left alone this many times as long. */
const rejectedFactor = 60
/** The share by which a cooldown is varied both ways, so that several gateways don't come back together. */
const jitter = 0.1
/** Parts of the window; the oldest is dropped as a whole. */
const parts = 10

export type BreakerState = 'closed' | 'open' | 'half_open'

/**
 * The circuit breaker of one deployment. Closed, it lets everything through. It opens on failures, and lets nothing
 * through for a while. Then it is half open: one request at a time is let through, and its outcome closes or opens it.
 */
export class Breaker {
  readonly #settings: Cooldown
  readonly #random: () => number
  readonly #told: (ms: number | undefined) => void
  #open = false
  /** When the next request may pass an open breaker. */
  #until = 0
  #probing = false
  #inRow = 0
  #openings = 0
  readonly #attempts = new Uint32Array(parts)
  readonly #failures = new Uint32Array(parts)
  /** The number of the window's latest part, counted from 1970. */
  #part = 0

  /** `told` is called when it opens, with the milliseconds for which it does, and without them when it closes. */
  constructor(settings: Cooldown, random: () => number, told: (ms: number | undefined) => void = () => {}) {
    this.#settings = settings
    this.#random = random
    this.#told = told
  }

  state(now: number): BreakerState {
    if (!this.#open) return 'closed'
    return now < this.#until && !this.#probing ? 'open' : 'half_open'
  }

  /** Milliseconds until a request may pass; 0 if one may pass now. */
  wait(now: number): number {
    return this.#open ? Math.max(0, this.#until - now) : 0
  }

  /** Whether a request may pass now. When half open, this request is the only one until its outcome is known. */
  admit(now: number): boolean {
    if (!this.#open) return true
    if (now < this.#until) return false
    this.#probing = true
    // Another one may pass later if the outcome of this one is never told.
    this.#until = now + this.#settings.longest
    return true
  }

  /** Lets a request pass although the breaker is open, because nothing else is left. Its outcome counts as a probe's. */
  force(now: number): void {
    if (!this.#open) return
    this.#probing = true
    this.#until = Math.max(this.#until, now)
  }

  /** The deployment has begun to answer, so it is back. */
  answered(): void {
    if (this.#open) this.#told(undefined)
    this.#open = false
    this.#probing = false
  }

  succeeded(now: number): void {
    this.answered()
    this.#inRow = 0
    this.#openings = 0
    this.#count(now, 0)
  }

  /** `retryAfter`: how long the deployment itself asked to wait, in milliseconds. */
  failed(now: number, severity: Severity, retryAfter = 0): void {
    this.#count(now, 1)
    this.#inRow++
    if (this.#open && !this.#probing) {
      // An attempt from before. It doesn't count as another opening, but its wait holds.
      this.#until = Math.max(this.#until, now + retryAfter)
    } else if (severity !== 'failed' || this.#open || this.#isTooMuch()) this.#trip(now, severity, retryAfter)
  }

  /** An attempt ended without telling anything of the deployment, for example because its client left. */
  released(now: number): void {
    if (!this.#probing) return
    this.#probing = false
    this.#until = now
  }

  #trip(now: number, severity: Severity, retryAfter: number): void {
    const { cooldownTime, longest } = this.#settings
    const factor = severity === 'rejected' ? rejectedFactor : 1
    const grown = Math.min(cooldownTime * 2 ** this.#openings, longest) * factor
    const varied = grown * (1 - jitter + 2 * jitter * this.#random())
    const wait = Math.max(varied, retryAfter)
    if (!this.#open) this.#told(wait)
    this.#open = true
    this.#probing = false
    this.#until = now + wait
    // 2 ** 30 times is longer than `longest`.
    this.#openings = Math.min(this.#openings + 1, 30)
    this.#attempts.fill(0)
    this.#failures.fill(0)
  }

  #isTooMuch(): boolean {
    const { allowedFails, failureRate, minRequests } = this.#settings
    if (this.#inRow >= allowedFails) return true
    const attempts = sum(this.#attempts)
    return attempts >= minRequests && sum(this.#failures) >= failureRate * attempts
  }

  #count(now: number, failures: 0 | 1): void {
    const part = Math.floor((now * parts) / this.#settings.window)
    // Clocks can be set back: such an attempt counts with the latest part.
    for (let next = Math.max(this.#part + 1, part - parts + 1); next <= part; next++) {
      this.#attempts[next % parts] = 0
      this.#failures[next % parts] = 0
    }
    this.#part = Math.max(part, this.#part)
    const at = this.#part % parts
    this.#attempts[at] = (this.#attempts[at] ?? 0) + 1
    this.#failures[at] = (this.#failures[at] ?? 0) + failures
  }
}

function sum(counts: Uint32Array): number {
  let total = 0
  for (const count of counts) total += count
  return total
}
