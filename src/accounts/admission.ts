import type { Admission, Exchange, Held } from '../core/account.ts'
import type { Operation } from '../core/operation.ts'
import type { Plan, Target } from '../core/plan.ts'
import type { Stage } from '../core/stream.ts'
import type { Hold } from '../state/meters.ts'
import type { RequestBody } from '../wire/body.ts'
import type { GatewayError } from '../wire/errors.ts'
import type { JsonObject } from '../wire/json.ts'
import { type Bill, mayBeBilled } from './bill.ts'
import { boundOf, type TokenBound } from './bound.ts'
import type { Allowance } from './limiter.ts'

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
  /** Absent: it has neither limits nor a budget. */
  readonly allowance: Allowance | undefined
  /** What was granted. */
  readonly holds: readonly Hold[]
  /** What each budget has held for it; undefined: there is none. */
  readonly reserved: number | undefined
  /** What an exchange came to, by what its upstream told. */
  readonly charge: (exchange: Exchange, usage: JsonObject | undefined) => ReturnType<Held['charge']>
  readonly headers: () => Record<string, string>
  /** `need`: what there was too little for, in nano-dollars. */
  readonly overdrawn: (need: number) => GatewayError
}

/** A request that has been let in, and what it holds until it is over. */
export class RequestAdmission implements Admission {
  readonly plan: Plan
  readonly body: RequestBody
  readonly optional: readonly string[]
  readonly stage: Stage | undefined
  readonly #admitted: Admitted
  readonly #held: Held[] = []
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
    return this.#admitted.headers()
  }

  charge(exchange: Exchange): Held | Promise<Held> {
    const { target } = exchange
    const bound = this.#boundOf(exchange)
    const { input, output: most } = bound
    const costWith = (output: number) => this.#admitted.worst(target, { ...bound, output })
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

  /** Once. */
  settle({ input, output, booked }: Bill): void {
    if (this.#isSettled) return
    this.#isSettled = true
    this.#admitted.allowance?.settle({ requests: 1, tokens: input + output }, this.#ofBudgets(booked))
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
    const { allowance, overdrawn } = this.#admitted
    const done = (isGranted: boolean) => {
      if (!isGranted) throw overdrawn(lacking)
      this.#reserved += lacking
    }
    const extended = allowance?.extend(this.#ofBudgets(lacking)) ?? true
    return extended instanceof Promise ? extended.then(done) : done(extended)
  }

  /** So much of each budget, nothing of what comes back. */
  #ofBudgets(amount: number): readonly number[] {
    return this.#admitted.holds.map(({ meter }) => (meter.returns ? 0 : amount))
  }
}

function committedTo({ attempt, cost = 0, charge }: Held): number {
  if (attempt && !mayBeBilled(attempt)) return 0
  const told = attempt?.usage && charge(attempt.usage)?.cost
  return told ?? cost
}
