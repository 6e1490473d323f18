import type { Admission, Attempted, Held } from '../core/account.ts'
import type { Plan, Target } from '../core/plan.ts'
import type { Stage } from '../core/stream.ts'
import type { Hold } from '../state/meters.ts'
import type { RequestBody } from '../wire/body.ts'
import type { GatewayError } from '../wire/errors.ts'
import { type Bill, mayBeBilled } from './bill.ts'
import type { TokenBound } from './bound.ts'
import type { Allowance } from './limiter.ts'

export interface Admitted {
  readonly plan: Plan
  readonly body: RequestBody
  readonly optional: readonly string[]
  readonly stage: Stage | undefined
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
  readonly attempts: readonly Attempted[]
  readonly headers: () => Record<string, string>
  readonly overdrawn: () => GatewayError
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

  charge(target: Target, body: RequestBody): Held | Promise<Held> {
    const { bound, worst } = this.#admitted
    // A part of a request, or one with what another has begun, has another length.
    const input = bound.input + Math.max(0, body.bytes.length - this.body.bytes.length)
    const costWith = (output: number) => worst(target, { input, output })
    const held: Held = { input, output: bound.output, cost: costWith(bound.output), costWith }
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

  #hold(held: Held): Held {
    this.#held.push(held)
    return held
  }

  /** What may have been billed so far, or still may be. */
  #committed(): number {
    const free = new Set(this.#admitted.attempts.filter((attempt) => !mayBeBilled(attempt)).map(({ held }) => held))
    return this.#held.reduce((sum, held) => sum + (free.has(held) ? 0 : (held.cost ?? 0)), 0)
  }

  #extend(lacking: number): void | Promise<void> {
    const { allowance, overdrawn } = this.#admitted
    const done = (isGranted: boolean) => {
      if (!isGranted) throw overdrawn()
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
