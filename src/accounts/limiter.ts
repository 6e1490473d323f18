import type { Key } from '../state/key.ts'
import type { Granted, Hold, Meters, Refused } from '../state/meters.ts'
import { isTooFast, type Level, type RateBook, type RateKind, type Take, type Taken, type TooFast } from './rates.ts'

/** What a request needs of limits and budgets. */
export interface Needs {
  readonly key: Pick<Key, 'id' | 'home' | 'project'>
  readonly takes: readonly Take[]
  readonly holds: readonly Hold[]
  /** Whether it goes on where the store fails. */
  readonly lenient?: boolean
}

/** What a request has got of them until it is over. */
export interface Allowance extends Pick<Granted, 'granted' | 'extend'> {
  readonly taken: readonly Taken[]
  /** Whether the store failed, so that nobody knows whether there was enough left. */
  readonly unchecked?: boolean
  /** Puts right what was taken and held, once it is known what was used. Once; never throws. */
  settle(rates: Readonly<Record<RateKind, number>>, meters: readonly number[]): void
}

/** Limits a minute, requests at once and budgets, wherever they are kept. */
export interface Limiter {
  /** Takes all or nothing. Rejects with a `StoreError` if nobody can tell. */
  take(needs: Needs): Allowance | TooFast | Refused | Promise<Allowance | TooFast | Refused>
  /** Resolves once what was settled has arrived, where that takes a while. Never rejects. */
  readonly flush?: () => Promise<void>
}

const nothing = { requests: 0, tokens: 0 }

/** Limits a minute, and meters beside them. */
export function limiterOf<L extends Level>(rates: RateBook<L>, meters: Meters): Limiter {
  const allowance = (taken: readonly Taken<L>[], grant?: Granted) => new Allowed(rates, taken, grant)

  /** What was taken of the rates comes back if there is too little of anything else. */
  function reserved(taken: readonly Taken<L>[], outcome: Granted | Refused): Allowance | Refused {
    if (outcome.granted) return allowance(taken, outcome)
    rates.settle(taken, nothing)
    return outcome
  }

  function reserve(taken: readonly Taken<L>[], holds: readonly Hold[]): ReturnType<Limiter['take']> {
    const outcome = meters.reserve(holds)
    if (!(outcome instanceof Promise)) return reserved(taken, outcome)
    return outcome.then(
      (one) => reserved(taken, one),
      (error) => {
        rates.settle(taken, nothing)
        throw error
      },
    )
  }

  function next(taken: readonly Taken<L>[] | TooFast, holds: readonly Hold[]): ReturnType<Limiter['take']> {
    if (isTooFast(taken)) return taken
    return holds.length === 0 ? allowance(taken) : reserve(taken, holds)
  }

  return {
    take({ takes, holds }) {
      const taken = rates.take(takes)
      return taken instanceof Promise ? taken.then((one) => next(one, holds)) : next(taken, holds)
    },
  }
}

/** What was taken of limits a minute, and granted beside. */
class Allowed<L extends Level> implements Allowance {
  readonly granted = true
  readonly taken: readonly Taken<L>[]
  readonly #rates: RateBook<L>
  readonly #grant: Granted | undefined

  constructor(rates: RateBook<L>, taken: readonly Taken<L>[], grant: Granted | undefined) {
    this.#rates = rates
    this.taken = taken
    this.#grant = grant
  }

  extend(more: readonly number[]): boolean | Promise<boolean> {
    return this.#grant?.extend(more) ?? true
  }

  settle(used: Readonly<Record<RateKind, number>>, meters: readonly number[]): void {
    this.#rates.settle(this.taken, used)
    this.#grant?.settle(meters)
  }
}
