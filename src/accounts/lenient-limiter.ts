import type { Clock } from '../core/clock.ts'
import type { Log } from '../core/log.ts'
import { dollarsOf } from '../prices/money.ts'
import { StoreError } from '../state/database.ts'
import type { Hold, Meters, Refused } from '../state/meters.ts'
import type { Allowance, Limiter, Needs } from './limiter.ts'
import { isTooFast, type TooFast } from './rates.ts'

export interface LenientOptions {
  readonly limiter: Limiter
  /** Counts what is per minute while the store fails. Absent: `limiter` is asked again. */
  readonly meanwhile?: Limiter | undefined
  /** Absent: what nobody could hold is in the ledger only. */
  readonly spend?: Meters['spend'] | undefined
  readonly clock: Clock
  readonly log: Log
}

type Outcome = Allowance | TooFast | Refused

/** Milliseconds that a request waits for the store before it goes on, unless the store is known to fail. */
const patience = 1_000

/**
 * Lets requests on where the store fails, of keys that are to go on all the same. What they use is counted once it can
 * be, so that a budget may be exceeded by as much.
 */
export class LenientLimiter implements Limiter {
  readonly #options: LenientOptions
  readonly flush?: () => Promise<void>
  #isFailing = false
  /** Requests that went on since the store failed, and what they have spent so far. */
  #unchecked = 0
  #spent = 0

  constructor(options: LenientOptions) {
    const { limiter } = options
    this.#options = options
    if (limiter.flush) this.flush = () => limiter.flush?.() ?? Promise.resolve()
  }

  take(needs: Needs): ReturnType<Limiter['take']> {
    const outcome = this.#options.limiter.take(needs)
    if (needs.lenient) return outcome instanceof Promise ? this.#inTime(outcome, needs) : this.#lenient(outcome, needs)
    if (outcome instanceof Promise && this.#isFailing) outcome.then(() => this.#worked()).catch(() => {})
    return outcome
  }

  async #inTime(outcome: Promise<Outcome>, needs: Needs): Promise<Outcome> {
    const { clock } = this.#options
    const late = Promise.withResolvers<undefined>()
    const cancel = clock.after(this.#isFailing ? 0 : patience, () => late.resolve(undefined))
    outcome.then(() => this.#worked()).catch(() => {})
    try {
      const said = await Promise.race([outcome, late.promise])
      return said ? this.#lenient(said, needs) : this.#goingOn(outcome, needs)
    } catch (cause) {
      return this.#withoutStore(needs, cause)
    } finally {
      cancel()
    }
  }

  /** The store hasn't answered yet. What it says later counts when the request is over. */
  async #goingOn(outcome: Promise<Outcome>, needs: Needs): Promise<Outcome> {
    this.#failed(new StoreError('the store takes too long'))
    const rates = await this.#options.meanwhile?.take({ ...needs, holds: [] })
    if (rates && !isGranted(rates)) {
      outcome.then((one) => isGranted(one) && one.settle(nothing, [])).catch(() => {})
      return rates
    }
    return {
      ...unchecked,
      taken: rates?.taken ?? [],
      settle: (used, meters) => {
        rates?.settle(used, [])
        const spend = () => this.#spend(needs.holds, meters)
        outcome.then((one) => (isGranted(one) ? one.settle(used, meters) : spend()), spend)
      },
    }
  }

  /** Limits a minute hold all the same, as far as they need no store. */
  async #withoutStore(needs: Needs, cause: unknown): Promise<Outcome> {
    if (!(cause instanceof StoreError)) throw cause
    this.#failed(cause)
    const { limiter, meanwhile = limiter } = this.#options
    const rates = await Promise.resolve(meanwhile.take({ ...needs, holds: [] })).catch(() => undefined)
    if (rates && !isGranted(rates)) return rates
    return {
      ...unchecked,
      taken: rates?.taken ?? [],
      settle: (used, meters) => {
        rates?.settle(used, [])
        this.#spend(needs.holds, meters)
      },
    }
  }

  /** Goes on too where the store fails later. */
  #lenient(outcome: Outcome, { holds }: Needs): Outcome {
    if (!isGranted(outcome) || holds.length === 0) return outcome
    let isUnchecked = false
    return {
      granted: true,
      taken: outcome.taken,
      get unchecked() {
        return isUnchecked
      },
      extend: (more) => {
        const extended = outcome.extend(more)
        if (!(extended instanceof Promise)) return extended
        return extended.catch((cause) => {
          if (!(cause instanceof StoreError)) throw cause
          isUnchecked = true
          this.#failed(cause)
          return true
        })
      },
      settle: (rates, meters) => outcome.settle(rates, meters),
    }
  }

  #failed(cause: StoreError): void {
    this.#unchecked++
    if (this.#isFailing) return
    this.#isFailing = true
    const { log } = this.#options
    log(`Limits can't be checked, so requests go on that are to do so all the same: ${cause.message}`, 'warn')
  }

  #worked(): void {
    if (!this.#isFailing) return
    this.#isFailing = false
    const [unchecked, spent] = [this.#unchecked, this.#spent]
    this.#unchecked = 0
    this.#spent = 0
    const counted = this.#options.spend ? 'are counted now' : 'are in the ledger only'
    const requests = unchecked === 1 ? '1 request' : `${unchecked} requests`
    this.#options.log(
      `Limits are checked again. ${requests} went on meanwhile; the $${dollarsOf(spent)} that they have spent so far ${counted}.`,
      'warn',
    )
  }

  #spend(holds: readonly Hold[], used: readonly number[]): void {
    const at = holds.findIndex(({ meter }) => !meter.returns)
    this.#spent += used[at] ?? 0
    this.#options.spend?.(holds, used)
  }
}

const nothing = { requests: 0, tokens: 0 }

const unchecked = { granted: true, taken: [], unchecked: true, extend: () => true } as const

function isGranted(outcome: Outcome): outcome is Allowance {
  return !isTooFast(outcome) && outcome.granted
}
