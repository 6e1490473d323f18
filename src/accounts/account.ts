import type { Account, Admission, Admittance, Exchange, Tenant } from '../core/account.ts'
import { askedFields } from '../core/asked.ts'
import type { Bounding } from '../core/bounding.ts'
import type { Deployment } from '../core/catalog.ts'
import type { Clock } from '../core/clock.ts'
import type { Plan, Target } from '../core/plan.ts'
import type { Priced } from '../prices/book.ts'
import type { Pricing } from '../prices/pricing.ts'
import { worstCost } from '../prices/worst.ts'
import type { Key, OnStoreError } from '../state/key.ts'
import type { Hold, Refused } from '../state/meters.ts'
import type { RequestBody } from '../wire/body.ts'
import type { JsonObject } from '../wire/json.ts'
import { type Paying, RequestAdmission } from './admission.ts'
import { allowList } from './allowed.ts'
import { boundOf, likely, type TokenBound } from './bound.ts'
import { addLimitHeaders } from './limit-headers.ts'
import type { Allowance, Limiter } from './limiter.ts'
import { choiceOf, mayGiveOne, payablePlan, serviceOf, without } from './payable.ts'
import type { ProjectSubject, ProjectSubjects } from './project-subject.ts'
import { isTooFast, type Take, type TooFast } from './rates.ts'
import { noStore, overdrawn, overdrawnMeanwhile, tooFast, tooManyAtOnce, unboundedFor } from './refusals.ts'
import {
  addHolds,
  addRates,
  addTakes,
  endOf,
  holderOf,
  type Rate,
  type Subject,
  subjectOfKey,
  whoseRate,
} from './subject.ts'

/** What all accounts of a gateway have in common. */
export interface Common {
  readonly clock: Pick<Clock, 'now'>
  readonly limiter: Limiter
  readonly priceOf: (deployment: Deployment) => Priced | undefined
  /** The same for those who can't do without: the log tells of a price that is missing. */
  readonly neededPriceOf: (deployment: Deployment) => Priced | undefined
  readonly charge: Pricing['charge']
  /** Limits of a model for all who ask for it, by its name. Undefined: it has none. */
  readonly limitsOf: (model: string) => Rate | undefined
  /** Whether requests are written down, for which their tokens are asked for. */
  readonly counts: boolean
  /** For keys that don't say it themselves. Absent: whoever has a budget is refused, and others go on. */
  readonly onStoreError?: OnStoreError | undefined
  /** Absent: keys have nothing in common. */
  readonly projects?: ProjectSubjects | undefined
}

/** The account of a key. */
export class KeyAccount implements Account {
  readonly #key: Key
  readonly #common: Common
  readonly #own: Subject
  readonly #alone: readonly Subject[]
  readonly #allows: Account['allows']
  readonly #paying: Paying = {
    take: (takes, holds, isPaid) => this.#take(takes, holds, isPaid),
    worst: (target, bound, body) => this.#worst(target, bound, body),
    charge: (exchange, usage) => this.#charged(exchange, usage),
    tell: (headers, taken) => addLimitHeaders(headers, taken, this.#common.clock.now()),
    overdrawn: (need) => this.#overdrawnMeanwhile(need),
  }

  constructor(key: Key, common: Common) {
    this.#key = key
    this.#common = common
    this.#own = subjectOfKey(key)
    this.#alone = [this.#own]
    this.#allows = key.limits.models && allowList(key.limits.models)
  }

  get tenant(): Tenant {
    const { id, project, limits } = this.#key
    return { key: id, project, isOff: limits.cache === false }
  }

  get key(): Key {
    return this.#key
  }

  get allows(): Account['allows'] {
    const allowed = this.#project?.allows
    const own = this.#allows
    return own && allowed ? (model) => own(model) && allowed(model) : (own ?? allowed)
  }

  get confined(): string | undefined {
    const { allowUnbounded } = this.#key.limits
    if (!this.allows && (allowUnbounded || !this.#subjects.some(hasBudget))) return undefined
    return `The key ${this.#key.name} is for models only: what this asks for can be neither priced nor told by a model's name.`
  }

  admit(asked: Admittance): Admission | Promise<Admission> {
    const { bounding } = asked.operation
    if (!bounding) return this.#admit(asked, nothingKnown)
    return bounding.value ? this.#admit(asked, bounding.value) : bounding.load().then((one) => this.#admit(asked, one))
  }

  #admit(asked: Admittance, bounding: Bounding): Admission {
    const { operation, plan } = asked
    const { limits } = this.#key
    const { priceOf, clock } = this.#common
    const subjects = this.#subjects
    const payer = subjects.find(hasBudget)
    const payable = payer ? payablePlan(plan, payer.whose, this.#common.neededPriceOf) : plan
    const { targets } = payable
    const isFree = ({ deployment }: Target) => priceOf(deployment)?.source === 'free'
    const costs = payer !== undefined && !targets.every(isFree)
    const limited = costs && !limits.allowUnbounded
    const isFreeToRead = (target: Target) => this.#worst(target, plenty, asked.body) === 0
    const { body: given } = asked
    const toBound = { operation, bounding, body: given, targets, limits: limited, isPaid: costs, isFree: isFreeToRead }
    const bounded = boundOf(toBound)
    const { body, bound } = bounded
    const open = limited ? (bounded.unbounded ?? choiceOf(asked)) : undefined
    if (payer && open) throw unboundedFor(payer.whose, open.what, open.param)
    const asking = this.#counts(subjects) ? bounding.askingUsage?.(body) : undefined
    const isEstimated = limits.budgetMode === 'estimate' && payer === this.#own && !hasBudget(subjects[1])
    const needs = { body, bound: isEstimated ? likely(bound) : bound, exchanges: bounded.exchanges }
    const paid = payer ? this.#paid(payable, payer, needs) : { plan, need: 0 }
    const now = clock.now()
    const holds: Hold[] = []
    for (const subject of subjects) addHolds(holds, subject, paid.need, now)
    return new RequestAdmission({
      plan: paid.plan,
      body: asking ?? body,
      operation,
      bound,
      takes: this.#takes(asked, subjects, bound.input + bound.output),
      holds,
      paying: this.#paying,
      isPaid: payer !== undefined,
      optional: asking ? streamOptions : noFields,
      stage: asking && bounding.withoutUsage?.(),
      reserved: payer && !isEstimated ? paid.need : undefined,
    })
  }

  /** The most that so many tokens can cost at a target, in nano-dollars; undefined: nobody can tell. */
  #worst(target: Target, bound: TokenBound, body: RequestBody): number | undefined {
    const priced = this.#common.priceOf(target.deployment)
    if (!priced) return undefined
    // What is free is so in every tier.
    if (priced.source === 'free') return 0
    const cost = worstCost(priced.tariffs, bound, serviceOf(target, body))
    return cost ?? (this.#key.limits.allowUnbounded ? worstCost(priced.tariffs, bound) : undefined)
  }

  #charged({ operation, target, body }: Exchange, usage: JsonObject | undefined) {
    const pieces = operation.pieces?.(askedFields({ target, body }), body)
    const charge = this.#common.charge(usage, pieces, target.deployment)
    const { tokens, cost } = charge ?? {}
    if (!tokens && cost === undefined) return undefined
    return { input: tokens?.input ?? 0, output: tokens?.output ?? 0, cost }
  }

  get #project(): ProjectSubject | undefined {
    return this.#common.projects?.of(this.#key)
  }

  /** The key, and the project that it belongs to. */
  get #subjects(): readonly Subject[] {
    const project = this.#project
    return project ? [this.#own, project] : this.#alone
  }

  /** Whether it must be known how many tokens there were. */
  #counts(subjects: readonly Subject[]): boolean {
    return this.#common.counts || subjects.some((one) => hasBudget(one) || one.limits.tpm !== undefined)
  }

  /** A plan of those of whom it can be told what this costs at most, and what the dearest of them needs. */
  #paid(plan: Plan, payer: Subject, needs: Needed): { readonly plan: Plan; readonly need: number } {
    const { allowUnbounded } = this.#key.limits
    const unknown: Target[] = []
    let need = 0
    for (const target of plan.targets) {
      const cost = this.#worst(target, needs.bound, needs.body)
      if (cost === undefined && !allowUnbounded) unknown.push(target)
      else need = Math.max(need, (cost ?? 0) + this.#again(target, needs))
    }
    return { plan: unknown.length === 0 ? plan : without(plan, unknown, payer.whose, needs.body), need }
  }

  /** Of what becomes several exchanges, each has all of the input. */
  #again(target: Target, { body, bound, exchanges }: Needed): number {
    if (exchanges === 1 || !mayGiveOne(target)) return 0
    return (exchanges - 1) * (this.#worst(target, { ...bound, output: 0, pieces: undefined, drawn: 0 }, body) ?? 0)
  }

  #takes(
    { plan: { requested: model }, user }: Admittance,
    subjects: readonly Subject[],
    tokens: number,
  ): readonly Take[] {
    const takes: Take[] = []
    for (const subject of subjects) addTakes(takes, subject, { model, user, tokens })
    const shared = model === undefined ? undefined : this.#common.limitsOf(model)
    if (shared) addRates(takes, `model:${model}`, shared, tokens)
    return takes
  }

  /** Whether a request goes on where the store fails. */
  #goesOn(isPaid: boolean): boolean {
    const wanted = this.#key.limits.onStoreError ?? this.#common.onStoreError
    return wanted === undefined ? !isPaid : wanted === 'admit'
  }

  #take(takes: readonly Take[], holds: readonly Hold[], isPaid: boolean): Allowance | Promise<Allowance> {
    const outcome = this.#common.limiter.take({ key: this.#key, takes, holds, lenient: this.#goesOn(isPaid) })
    if (!(outcome instanceof Promise)) return this.#granted(outcome, holds)
    return outcome.then(
      (one) => this.#granted(one, holds),
      (cause) => {
        throw noStore(cause)
      },
    )
  }

  #granted(outcome: Allowance | TooFast | Refused, holds: readonly Hold[]): Allowance {
    if (isTooFast(outcome)) {
      const whose = whoseRate(this.#subjects, outcome.take)
      throw tooFast(outcome, whose, addLimitHeaders({}, outcome.all, this.#common.clock.now()))
    }
    if (outcome.granted) return outcome
    const { meter, left } = outcome
    const holder = holderOf(this.#subjects, meter) ?? this.#own
    if (meter.returns) throw tooManyAtOnce(meter, holder.whose)
    throw this.#overdrawn(holder, holds.find((hold) => hold.meter === meter)?.amount ?? 0, left)
  }

  /** One of several has too little, and nobody says which. */
  #overdrawnMeanwhile(need: number) {
    const payers = this.#subjects.filter(hasBudget)
    const now = this.#common.clock.now()
    const ends = payers.map((payer) => endOf(payer, now))
    const end = payers.length === 1 ? ends[0] : undefined
    return overdrawnMeanwhile({ whose: payers.map(({ whose }) => whose).join(' or of '), need, end })
  }

  #overdrawn(subject: Subject, need: number, left: number) {
    const { whose, limits } = subject
    return overdrawn({ whose, limit: limits.budget ?? 0, left, need, end: endOf(subject, this.#common.clock.now()) })
  }
}

function hasBudget(subject: Subject | undefined): boolean {
  return subject?.limits.budget !== undefined
}

const streamOptions = ['stream_options']
const noFields: readonly string[] = []

/** What is to be paid for. */
interface Needed {
  readonly body: RequestBody
  readonly bound: TokenBound
  readonly exchanges: number
}

/** Whoever reads and writes so much for nothing does so always. */
const plenty: TokenBound = { input: 1_000_000, output: 1_000_000 }

/** For an operation of which nobody can tell what it takes. */
const nothingKnown: Bounding = {
  output: () => ({ tokens: undefined, answers: 1 }),
  unbounded: () => ({ what: 'a request of this kind', param: 'model' }),
}
