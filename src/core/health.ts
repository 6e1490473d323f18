import { headerValue } from '../wire/headers.ts'
import { Breaker, type Cooldown } from './breaker.ts'
import type { Clock } from './clock.ts'
import type { Log } from './log.ts'
import { MinuteUse } from './minute-use.ts'
import { Quantile } from './quantile.ts'

/** Deployments that are remembered; the longest unused is forgotten first. Callers may name any model. */
const most = 10_000

/** What the gateway has learned about one deployment from its traffic. */
export class Health {
  readonly breaker: Breaker | undefined
  /** Attempts that haven't ended, streams included. */
  inFlight = 0
  readonly latency = new PeakLatency()
  /** How late first contents come, in milliseconds. Measured only for deployments that are hedged. */
  readonly lateness = new Quantile(0.95)
  readonly use = new MinuteUse()

  constructor(breaker: Breaker | undefined) {
    this.breaker = breaker
  }
}

/** Milliseconds after which a measured latency has lost most of its weight. */
const decay = 10_000

/**
 * The time until first content in milliseconds: jumps to a peak at once and sinks slowly, so that a deployment that
 * begins to stall is avoided after one request.
 */
export class PeakLatency {
  #value = 0
  #at = 0

  /** 0 if nothing was measured yet, so that every deployment gets its first request. */
  get value(): number {
    return this.#value
  }

  /** What is left of it now: a peak is forgotten in time, so that a deployment that is avoided gets another chance. */
  at(now: number): number {
    return this.#value * Math.exp(-Math.max(0, now - this.#at) / decay)
  }

  measured(ms: number, now: number): void {
    const weight = ms > this.#value ? 1 : 1 - Math.exp(-Math.max(0, now - this.#at) / decay)
    this.#value += (ms - this.#value) * weight
    this.#at = now
  }
}

interface Needed {
  readonly clock: Clock
  readonly random: () => number
  /** Is told which deployments are left alone, and when they are back. Absent: nobody is. */
  readonly log?: Log
}

/** The health of all deployments of this process, by label. Learned from traffic: nothing is asked for it. */
export class HealthBook {
  readonly #needed: Needed
  readonly #cooldown: Cooldown | undefined
  readonly #entries = new Map<string, Health>()

  /** Without `cooldown` no deployment is ever left alone. */
  constructor(needed: Needed, cooldown: Cooldown | undefined) {
    this.#needed = needed
    this.#cooldown = cooldown
  }

  #breakerOf(label: string, cooldown: Cooldown): Breaker {
    const { random, log } = this.#needed
    if (!log) return new Breaker(cooldown, random)
    const name = headerValue(label)
    return new Breaker(cooldown, random, (ms) => {
      if (ms === undefined) log(`${name}: answers again`)
      else log(`${name}: left alone for ${Math.ceil(ms / 1000)} s after failures`, 'warn')
    })
  }

  of(label: string): Health {
    const known = this.#entries.get(label)
    // As long as nothing is to be forgotten soon, the order is no matter.
    if (known && this.#entries.size < most / 2) return known
    const health = known ?? new Health(this.#cooldown && this.#breakerOf(label, this.#cooldown))
    // Behind all others, so that names that callers make up can't push out what is in use.
    this.#entries.delete(label)
    this.#entries.set(label, health)
    const [unused] = this.#entries.keys()
    if (this.#entries.size > most && unused !== undefined) this.#entries.delete(unused)
    return health
  }

  /** Goes on with what is known of a deployment from elsewhere, where it may still be learned. */
  adopt(label: string, health: Health): void {
    this.#entries.set(label, health)
  }

  labels(): Iterable<string> {
    return this.#entries.keys()
  }

  /** Undefined if nothing was learned of the deployment yet. */
  find(label: string): Health | undefined {
    return this.#entries.get(label)
  }

  /** Whether a request may be sent to the deployment now. A caller that gets `true` must send it. */
  admit(label: string): boolean {
    return this.#entries.get(label)?.breaker?.admit(this.#needed.clock.now()) ?? true
  }

  /** Lets a request pass in any case: see `Breaker.force`. */
  force(label: string): void {
    this.#entries.get(label)?.breaker?.force(this.#needed.clock.now())
  }

  /** Milliseconds until the deployment may be asked again; 0 if it may be now. */
  wait(label: string): number {
    return this.#entries.get(label)?.breaker?.wait(this.#needed.clock.now()) ?? 0
  }
}
