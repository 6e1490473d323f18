import type { Admission, Attempted, Exchange, Held } from '../core/account.ts'
import type { Operation } from '../core/operation.ts'
import type { Plan, Target } from '../core/plan.ts'
import type { Stage } from '../core/stream.ts'
import type { Trace } from '../core/trace.ts'
import type { Hold } from '../state/meters.ts'
import type { RequestBody } from '../wire/body.ts'
import type { GatewayError } from '../wire/errors.ts'
import type { JsonObject } from '../wire/json.ts'
import { type Bill, mayBeBilled } from './bill.ts'
import { boundOf, type TokenBound } from './bound.ts'
import type { Allowance } from './limiter.ts'
import type { Take } from './rates.ts'
import { noStore } from './refusals.ts'

/** Whoever pays for a request. */
export interface Paying {
  /** `isPaid`: whether out of a budget. Throws a `GatewayError` if there is too little left. */
  take(takes: readonly Take[], holds: readonly Hold[], isPaid: boolean): Allowance | Promise<Allowance>
  /** The most that so many tokens can cost at a target, in nano-dollars; undefined: nobody can tell. */
  worst(target: Target, bound: TokenBound, body: RequestBody): number | undefined
  /** What an exchange came to, by what its upstream told. */
  charge(exchange: Exchange, usage: JsonObject | undefined): ReturnType<Held['charge']>
  tell(headers: Record<string, string>, taken: Allowance['taken']): void
  /** `need`: what there was too little for, in nano-dollars. */
  overdrawn(need: number): GatewayError
}

export interface Admitted {
  readonly plan: Plan
  readonly body: RequestBody
  readonly optional: readonly string[]
  readonly stage: Stage | undefined
  readonly operation: Operation
  /** What one exchange can use at most. */
  readonly bound: TokenBound
  /** What it needs of limits a minute, and of budgets and the requests at once. */
  readonly takes: readonly Take[]
  readonly holds: readonly Hold[]
  readonly paying: Paying
  readonly isPaid: boolean
  /** What each budget has held for it; undefined: there is none. */
  readonly reserved: number | undefined
}

/** What one exchange of a request can take at most. */
class ExchangeHeld implements Held {
  readonly input: number
  readonly output: number
  readonly cost: number | undefined
  attempt?: Attempted
  readonly #admitted: Admitted
  readonly #exchange: Exchange
  readonly #bound: TokenBound

  constructor(admitted: Admitted, exchange: Exchange, bound: TokenBound) {
    this.#admitted = admitted
    this.#exchange = exchange
    this.#bound = bound
    this.input = bound.input
    this.output = bound.output
    this.cost = this.#costOf(bound)
  }

  costWith(output: number): number | undefined {
    const { output: most, drawn } = this.#bound
    return this.#costOf({ ...this.#bound, output, drawn: output < most ? 0 : drawn })
  }

  charge(usage: JsonObject | undefined): ReturnType<Held['charge']> {
    return this.#admitted.paying.charge(this.#exchange, usage)
  }

  #costOf(bound: TokenBound): number | undefined {
    const { paying, body, reserved } = this.#admitted
    return paying.worst(this.#exchange.target, bound, body) ?? reserved
  }
}

/** A request of somebody who may ask for it, and what it holds until it is over. */
export class RequestAdmission implements Admission {
  readonly plan: Plan
  readonly body: RequestBody
  readonly optional: readonly string[]
  readonly stage: Stage | undefined
  readonly isPaid: boolean
  readonly #admitted: Admitted
  #held: readonly Held[] = none
  #allowances: readonly Allowance[] = none
  #isCounted = false
  #isReserving = false
  isRefused = false
  #reserved: number
  #isSettled = false

  constructor(admitted: Admitted) {
    this.#admitted = admitted
    this.#reserved = admitted.reserved ?? Number.POSITIVE_INFINITY
    this.plan = admitted.plan
    this.body = admitted.body
    this.optional = admitted.optional
    this.stage = admitted.stage
    this.isPaid = admitted.isPaid
  }

  tell(headers: Record<string, string>): void {
    const all = this.#allowances
    const taken = all.length === 1 ? (all[0] as Allowance).taken : all.flatMap((one) => one.taken)
    this.#admitted.paying.tell(headers, taken)
  }

  count(): void | Promise<void> {
    if (this.#isCounted) return
    this.#isCounted = true
    return this.#take(this.#admitted.takes.filter(isOfRequests), [])
  }

  reserve(): void | Promise<void> {
    if (this.#isReserving) return
    this.#isReserving = true
    const { takes, holds } = this.#admitted
    return this.#take(this.#isCounted ? takes.filter((take) => !isOfRequests(take)) : takes, holds)
  }

  charge(exchange: Exchange): Held | Promise<Held> {
    const held = new ExchangeHeld(this.#admitted, exchange, this.#boundOf(exchange))
    if (this.#reserved === Number.POSITIVE_INFINITY) return this.#hold(held)
    const lacking = this.#committed() + (held.cost ?? 0) - this.#reserved
    if (lacking <= 0) return this.#hold(held)
    const extended = this.#extend(lacking)
    return extended instanceof Promise ? extended.then(() => this.#hold(held)) : this.#hold(held)
  }

  /** What each exchange could take at most, in the order in which they began. */
  get held(): readonly Held[] {
    return this.#held
  }

  /** What an answer would have cost that others have paid for, in nano-dollars, as far as that is known. */
  worth({ givenBy, usage }: Trace): number {
    const target = this.plan.targets.find(({ deployment }) => deployment.label === givenBy)
    const { operation, paying } = this.#admitted
    return (target && paying.charge({ operation, target, body: this.body }, usage)?.cost) ?? 0
  }

  /** Whether the store failed, so that it went on although nobody knew what was left. */
  get unchecked(): boolean {
    return this.#allowances.some(({ unchecked }) => unchecked)
  }

  /** Once. */
  settle({ input, output, booked }: Bill): void {
    if (this.#isSettled) return
    this.#isSettled = true
    // What was let in counts, although it could not go on.
    const used = { requests: this.isRefused && this.#held.length === 0 ? 0 : 1, tokens: input + output }
    const amounts = this.#ofBudgets(booked)
    for (const allowance of this.#allowances) allowance.settle(used, amounts)
  }

  #take(takes: readonly Take[], holds: readonly Hold[]): void | Promise<void> {
    if (takes.length + holds.length === 0) return
    // Until it is granted.
    this.isRefused = true
    const { paying, isPaid } = this.#admitted
    const taken = paying.take(takes, holds, isPaid)
    return taken instanceof Promise ? taken.then((one) => this.#taken(one)) : this.#taken(taken)
  }

  #taken(allowance: Allowance): void {
    this.isRefused = false
    this.#allowances = withOne(this.#allowances, allowance)
  }

  /** A part of a request, one in the terms of another API, or one with what somebody has begun, has its own. */
  #boundOf({ operation, target, body, begun }: Exchange): TokenBound {
    const { bound: most, operation: asked, isPaid } = this.#admitted
    if (body === this.body && !begun) return most
    const bounding = operation.bounding?.value
    const own =
      bounding && (operation === asked || bounding.limited)
        ? boundOf({ operation, bounding, body, targets: [target], limits: false, isPaid }).bound
        : { ...most, input: most.input + Math.max(0, body.bytes.length - this.body.bytes.length) }
    // A character of what JavaScript counts is three bytes at most.
    return { ...own, input: own.input + (begun ? begun.text.length * 3 : 0), output: Math.min(own.output, most.output) }
  }

  #hold(held: Held): Held {
    this.#held = withOne(this.#held, held)
    return held
  }

  /** What may have been billed so far, or still may be. */
  #committed(): number {
    return this.#held.reduce((sum, held) => sum + committedTo(held), 0)
  }

  #extend(lacking: number): void | Promise<void> {
    const { paying } = this.#admitted
    const done = (isGranted: boolean) => {
      this.isRefused = !isGranted
      if (!isGranted) throw paying.overdrawn(lacking)
      this.#reserved += lacking
    }
    const extended = this.#allowances.at(-1)?.extend(this.#ofBudgets(lacking)) ?? true
    if (!(extended instanceof Promise)) return done(extended)
    return extended.then(done, (cause: unknown) => {
      throw noStore(cause)
    })
  }

  /** So much of each budget, nothing of what comes back. */
  #ofBudgets(amount: number): readonly number[] {
    const { holds } = this.#admitted
    const amounts = new Array<number>(holds.length)
    for (let at = 0; at < holds.length; at++) amounts[at] = holds[at]?.meter.returns ? 0 : amount
    return amounts
  }
}

const none: readonly never[] = []

/** Most have one: a list to which it is added has room for sixteen more. */
function withOne<T>(all: readonly T[], one: T): readonly T[] {
  return all.length === 0 ? [one] : [...all, one]
}

const isOfRequests = ({ kind }: Take) => kind === 'requests'

function committedTo(held: Held): number {
  const { attempt, cost = 0 } = held
  if (attempt && !mayBeBilled(attempt)) return 0
  const told = attempt?.usage && held.charge(attempt.usage)?.cost
  return told ?? cost
}
