import type { Admission, Exchange, Held } from '../core/account.ts'
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

export interface Admitted {
  readonly plan: Plan
  readonly body: RequestBody
  readonly optional: readonly string[]
  readonly stage: Stage | undefined
  readonly operation: Operation
  /** What one exchange can use at most. */
  readonly bound: TokenBound
  /** The most that so many tokens can cost at a target, in nano-dollars. */
  readonly worst: (target: Target, bound: TokenBound) => number | undefined
  /** What it needs of limits a minute, and of budgets and the requests at once. */
  readonly takes: readonly Take[]
  readonly holds: readonly Hold[]
  /** Throws a `GatewayError` if there is too little left. */
  readonly take: (takes: readonly Take[], holds: readonly Hold[]) => Allowance | Promise<Allowance>
  /** What each budget has held for it; undefined: there is none. */
  readonly reserved: number | undefined
  /** What an exchange came to, by what its upstream told. */
  readonly charge: (exchange: Exchange, usage: JsonObject | undefined) => ReturnType<Held['charge']>
  readonly headers: (taken: Allowance['taken']) => Record<string, string>
  /** `need`: what there was too little for, in nano-dollars. */
  readonly overdrawn: (need: number) => GatewayError
}

/** A request of somebody who may ask for it, and what it holds until it is over. */
export class RequestAdmission implements Admission {
  readonly plan: Plan
  readonly body: RequestBody
  readonly optional: readonly string[]
  readonly stage: Stage | undefined
  readonly #admitted: Admitted
  readonly #held: Held[] = []
  readonly #allowances: Allowance[] = []
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
  }

  headers(): Record<string, string> {
    return this.#admitted.headers(this.#allowances.flatMap(({ taken }) => taken))
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
    const { target } = exchange
    const bound = this.#boundOf(exchange)
    const { input, output: most } = bound
    const costWith = (output: number) => this.#admitted.worst(target, { ...bound, output }) ?? this.#admitted.reserved
    const charge = (usage: JsonObject | undefined) => this.#admitted.charge(exchange, usage)
    const held: Held = { input, output: most, cost: costWith(most), costWith, charge }
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
    const { operation, charge } = this.#admitted
    return (target && charge({ operation, target, body: this.body }, usage)?.cost) ?? 0
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
    for (const allowance of this.#allowances) allowance.settle(used, this.#ofBudgets(booked))
  }

  #take(takes: readonly Take[], holds: readonly Hold[]): void | Promise<void> {
    if (takes.length + holds.length === 0) return
    // Until it is granted.
    this.isRefused = true
    const done = (allowance: Allowance) => {
      this.isRefused = false
      this.#allowances.push(allowance)
    }
    const taken = this.#admitted.take(takes, holds)
    return taken instanceof Promise ? taken.then(done) : done(taken)
  }

  /** A part of a request, one in the terms of another API, or one with what somebody has begun, has its own. */
  #boundOf({ operation, target, body, begun }: Exchange): TokenBound {
    const { bound: most, operation: asked } = this.#admitted
    if (body === this.body && !begun) return most
    const bounding = operation.bounding?.value
    const own =
      bounding && (operation === asked || bounding.limited)
        ? boundOf({ operation, bounding, body, targets: [target], limits: false }).bound
        : { ...most, input: most.input + Math.max(0, body.bytes.length - this.body.bytes.length) }
    // A character of what JavaScript counts is three bytes at most.
    return { ...own, input: own.input + (begun ? begun.text.length * 3 : 0), output: Math.min(own.output, most.output) }
  }

  #hold(held: Held): Held {
    this.#held.push(held)
    return held
  }

  /** What may have been billed so far, or still may be. */
  #committed(): number {
    return this.#held.reduce((sum, held) => sum + committedTo(held), 0)
  }

  #extend(lacking: number): void | Promise<void> {
    const { overdrawn } = this.#admitted
    const done = (isGranted: boolean) => {
      this.isRefused = !isGranted
      if (!isGranted) throw overdrawn(lacking)
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
    return this.#admitted.holds.map(({ meter }) => (meter.returns ? 0 : amount))
  }
}

const isOfRequests = ({ kind }: Take) => kind === 'requests'

function committedTo({ attempt, cost = 0, charge }: Held): number {
  if (attempt && !mayBeBilled(attempt)) return 0
  const told = attempt?.usage && charge(attempt.usage)?.cost
  return told ?? cost
}
