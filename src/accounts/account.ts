import type { Account, Admission, Admittance, Tenant } from '../core/account.ts'
import type { Bounding } from '../core/bounding.ts'
import type { Deployment } from '../core/catalog.ts'
import type { Clock } from '../core/clock.ts'
import type { Plan, Target } from '../core/plan.ts'
import type { Priced } from '../prices/book.ts'
import { worstCost } from '../prices/worst.ts'
import type { Key } from '../state/key.ts'
import type { Hold, Refused } from '../state/meters.ts'
import { windowAt, windowEnd } from '../state/window.ts'
import { stringAt } from '../wire/json.ts'
import { RequestAdmission } from './admission.ts'
import { allowList } from './allowed.ts'
import { boundOf, likely, type TokenBound } from './bound.ts'
import { limitHeaders } from './limit-headers.ts'
import type { Allowance, Limiter } from './limiter.ts'
import { isTooFast, type Take, type TooFast } from './rates.ts'
import { noStore, overdrawn, tooFast, tooManyAtOnce, unboundedFor, unpriced } from './refusals.ts'

/** What all accounts of a gateway have in common. */
export interface Common {
  readonly clock: Pick<Clock, 'now'>
  readonly limiter: Limiter
  readonly priceOf: (deployment: Deployment) => Priced | undefined
  /** The same for those who can't do without: the log tells of a price that is missing. */
  readonly neededPriceOf: (deployment: Deployment) => Priced | undefined
  /** Limits of a model for all who ask for it, by its name. */
  readonly limitsOf: (model: string) => { readonly rpm?: number | undefined; readonly tpm?: number | undefined }
  /** Whether requests are written down, for which their tokens are asked for. */
  readonly counts: boolean
}

/** The account of a key. */
export class KeyAccount implements Account {
  readonly #key: Key
  readonly #common: Common
  readonly allows: Account['allows']
  readonly confined: string | undefined

  constructor(key: Key, common: Common) {
    this.#key = key
    this.#common = common
    const { models, budget, allowUnbounded } = key.limits
    this.allows = models && allowList(models)
    if (models || (budget !== undefined && !allowUnbounded))
      this.confined = `The key ${key.name} is for models only: what this asks for can be neither priced nor told by a model's name.`
  }

  get tenant(): Tenant {
    const { id, project, limits } = this.#key
    return { key: id, project, isOff: limits.cache === false }
  }

  get key(): Key {
    return this.#key
  }

  async admit(asked: Admittance): Promise<Admission> {
    const { operation, plan, attempts } = asked
    const { limits } = this.#key
    const { counts, priceOf } = this.#common
    const bounding = (await operation.bounding?.load()) ?? nothingKnown
    const isBudgeted = limits.budget !== undefined
    const payable = isBudgeted ? this.#payable(plan) : plan
    const { targets } = payable
    const costs = isBudgeted && targets.some(({ deployment }) => priceOf(deployment)?.source !== 'free')
    const { body, unbounded, ...most } = boundOf(bounding, asked.body, targets, costs && !limits.allowUnbounded)
    if (costs && unbounded && !limits.allowUnbounded) throw unboundedFor(this.#whose, unbounded.what, unbounded.param)
    const asking = counts || isBudgeted || limits.tpm !== undefined ? bounding.askingUsage?.(body) : undefined
    const service = stringAt(body.outline, 'service_tier')
    const worst = ({ deployment }: Target, bound: TokenBound) => {
      const priced = priceOf(deployment)
      return priced && worstCost(priced.tariffs, { ...bound, service })
    }
    const isEstimated = limits.budgetMode === 'estimate'
    const need = Math.max(0, ...targets.map((target) => worst(target, isEstimated ? likely(most) : most) ?? 0))
    const [takes, holds] = [this.#takes(asked, most), this.#holds(need)]
    const allowance = takes.length + holds.length === 0 ? undefined : await this.#take(takes, holds, plan)
    return new RequestAdmission({
      ...{ plan: payable, body: asking ?? body, bound: most, worst, allowance, holds, attempts },
      optional: asking ? ['stream_options'] : [],
      stage: asking && bounding.withoutUsage?.(),
      reserved: isBudgeted && !isEstimated ? need : undefined,
      headers: () => limitHeaders(allowance?.taken ?? [], this.#common.clock.now()),
      overdrawn: () => this.#overdrawn(need, 0),
    })
  }

  get #whose(): string {
    return `key ${this.#key.name}`
  }

  /** A plan of what has a price. */
  #payable(plan: Plan): Plan {
    const { neededPriceOf } = this.#common
    const unknown = plan.targets.filter(({ deployment }) => !neededPriceOf(deployment))
    if (unknown.length === 0) return plan
    const targets = plan.targets.filter((target) => !unknown.includes(target))
    if (targets.length === 0) throw unpriced(this.#whose, plan.requested)
    const skipped = unknown.map(({ deployment: { label: name } }) => {
      return { name, kind: 'unpriced' as const, why: `its price isn't known, and the ${this.#whose} has a budget` }
    })
    return { ...plan, targets, skipped: [...plan.skipped, ...skipped] }
  }

  #takes({ plan, user }: Admittance, { input, output }: TokenBound): readonly Take[] {
    const { id, limits } = this.#key
    const { limitsOf } = this.#common
    const tokens = input + output
    const takes: Take[] = []
    const add = (subject: string, { rpm, tpm }: ReturnType<Common['limitsOf']>) => {
      if (rpm !== undefined) takes.push({ subject, kind: 'requests', limit: rpm, need: 1 })
      if (tpm !== undefined) takes.push({ subject, kind: 'tokens', limit: tpm, need: tokens })
    }
    add(`key:${id}`, limits)
    if (plan.requested !== undefined) {
      add(`model:${plan.requested}`, limitsOf(plan.requested))
      const own = limits.modelLimits?.[plan.requested]
      if (own) add(`key:${id} model:${plan.requested}`, own)
    }
    if (user !== undefined && limits.userLimits) add(`key:${id} user:${user}`, limits.userLimits)
    return takes
  }

  #holds(need: number): readonly Hold[] {
    const { id, limits } = this.#key
    const { budget, budgetReset = null, parallel } = limits
    const window = windowAt(budgetReset, this.#common.clock.now())
    const holds: Hold[] = []
    if (budget !== undefined) holds.push({ meter: { subject: `key:${id}`, window, limit: budget }, amount: need })
    if (parallel !== undefined) {
      const meter = { subject: `parallel:${id}`, window: 0, limit: parallel, returns: true }
      holds.push({ meter, amount: 1 })
    }
    return holds
  }

  async #take(takes: readonly Take[], holds: readonly Hold[], plan: Plan): Promise<Allowance> {
    const { limiter } = this.#common
    const outcome = await Promise.resolve(limiter.take({ key: this.#key.id, takes, holds })).catch((cause) => {
      throw noStore(cause)
    })
    if (isTooFast(outcome)) throw this.#tooFast(outcome, plan)
    if (!outcome.granted) throw this.#refusal(outcome, holds)
    return outcome
  }

  #tooFast(outcome: TooFast, { requested }: Plan) {
    const whose = outcome.take.subject.startsWith('model:') ? `the model ${requested}` : this.#whose
    return tooFast(outcome, whose, limitHeaders(outcome.all, this.#common.clock.now()))
  }

  #refusal({ meter, left }: Refused, holds: readonly Hold[]) {
    if (meter.returns) return tooManyAtOnce(meter, this.#whose)
    return this.#overdrawn(holds.find((hold) => hold.meter === meter)?.amount ?? 0, left)
  }

  #overdrawn(need: number, left: number) {
    const { budget: limit = 0, budgetReset = null } = this.#key.limits
    const end = windowEnd(budgetReset, this.#common.clock.now())
    return overdrawn({ whose: this.#whose, limit, left, need, end })
  }
}

/** For an operation of which nobody can tell what it takes. */
const nothingKnown: Bounding = {
  output: () => ({ tokens: undefined, answers: 1 }),
  unbounded: () => ({ what: 'a request of this kind', param: 'model' }),
}
