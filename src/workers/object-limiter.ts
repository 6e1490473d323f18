import type { Allowance, Limiter, Needs } from '../accounts/limiter.ts'
import { isTooFast, type TooFast } from '../accounts/rates.ts'
import { checkAmounts } from '../state/grant.ts'
import type { MeterBook, MeterName, Reading, Refused } from '../state/meters.ts'
import type { Defer } from './bindings.ts'
import { ask, type LeaseOptions, leaseOf, ObjectLease, partsOf } from './object-lease.ts'
import { objectOfMeter } from './object-names.ts'

export interface ObjectLimiterOptions extends Omit<LeaseOptions, 'lease'> {
  /** Has the runtime wait for what outlasts a request, also for one that nobody flushes. Absent: whoever flushes waits. */
  readonly defer?: Defer | undefined
  /**
   * Milliseconds that a request may last before it is taken for dead. If it lives, it puts that right when it is over.
   * Default 15 minutes.
   */
  readonly lease?: number
}

/** Milliseconds. */
const usualLease = 15 * 60 * 1000

/**
 * Limits that Durable Objects keep. A request asks one object for all that it needs of it, at once, and mostly no other: see
 * `objectOf`. Where it needs several, one after the other; a refusal gives back what those before have granted.
 */
export class ObjectLimiter implements Limiter, MeterBook {
  readonly #options: LeaseOptions
  readonly #defer: Defer | undefined
  #telling: Promise<void>[] = []

  constructor({ defer, lease = usualLease, ...options }: ObjectLimiterOptions) {
    this.#options = { ...options, lease }
    this.#defer = defer
  }

  take(needs: Needs): Promise<Allowance | TooFast | Refused> {
    checkAmounts(needs.holds.map(({ amount }) => amount))
    return this.#take(needs)
  }

  /** Resolves once all that was settled before is told, or its lease is left to end. Never rejects. */
  async flush(): Promise<void> {
    const telling = this.#telling
    this.#telling = []
    await Promise.all(telling)
  }

  async read(meter: MeterName): Promise<Reading> {
    return await ask(this.#objectOf(meter), 'read', nameOf(meter))
  }

  async forgive(meter: MeterName): Promise<void> {
    await ask(this.#objectOf(meter), 'forgive', nameOf(meter))
  }

  async #take(needs: Needs): Promise<Allowance | TooFast | Refused> {
    const leases: ObjectLease[] = []
    let isGranted = false
    try {
      for (const part of partsOf(needs)) {
        const outcome = await leaseOf(part, this.#options)
        if (!(outcome instanceof ObjectLease)) return withTaken(outcome, leases, this.#options.clock.now())
        leases.push(outcome)
      }
      isGranted = true
      return this.#allowance(leases)
    } finally {
      // Whoever asks once the refusal is told finds all of it.
      if (!isGranted) await this.#tell(leases, nothing, [])
    }
  }

  #allowance(leases: readonly ObjectLease[]): Allowance {
    let isOver = false
    return {
      granted: true,
      taken: leases.flatMap(({ taken }) => taken),
      extend: async (more) => {
        checkAmounts(more)
        if (isOver) return false
        // What was granted of some is given back when the request settles, which it does at once.
        for (const lease of leases) if (!(await lease.extend(more))) return false
        return true
      },
      settle: (used, amounts) => {
        if (isOver) return
        isOver = true
        void this.#tell(leases, used, amounts)
      },
    }
  }

  #tell(leases: readonly ObjectLease[], ...used: Parameters<ObjectLease['settle']>): Promise<void> {
    const telling = Promise.all(leases.map((lease) => lease.settle(...used))).then(() => {})
    if (leases.length > 0) this.#defer?.(telling)
    this.#telling.push(telling)
    return telling
  }

  #objectOf(meter: MeterName) {
    return this.#options.objects.getByName(objectOfMeter(meter))
  }
}

const nothing = { requests: 0, tokens: 0 }

const nameOf = ({ subject, window }: MeterName) => ({ subject, window })

/** A refusal, with the limits of other objects as they are once all of it is given back. */
function withTaken(refusal: TooFast | Refused, leases: readonly ObjectLease[], now: number): TooFast | Refused {
  if (!isTooFast(refusal)) return refusal
  const others = leases.flatMap(({ taken }) => taken)
  for (const { take, bucket } of others) bucket.giveBack(Math.min(take.need, take.limit), now)
  return { ...refusal, all: [...others, ...refusal.all] }
}
