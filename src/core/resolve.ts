import { type GatewayError, isMissing } from '../wire/errors.ts'
import { type Catalog, type Deployment, findGroup, type Known, type ModelGroup } from './catalog.ts'
import { Draw } from './draw.ts'
import { levelsOf, preferredLevels } from './levels.ts'
import { contextWindowOf, maxOutputOf, priceOf } from './listed.ts'
import { findExclusion, findObstacle, findRest, lackAdmitted, lackOf, type Reason } from './obstacles.ts'
import type { Capability } from './operation.ts'
import type { Circumstances, Plan, Query, Skipped, Target } from './plan.ts'
import { failureOf, missingModel, refusedModel } from './plan-failure.ts'
import { limitsFor, withFields } from './preferences.ts'
import { preferenceOf } from './strategies.ts'

/** Turns a request into an ordered plan. Pure, so that every decision can be tested as a table and shown to a user. */
export function resolve(query: Query, catalog: Catalog, circumstances: Circumstances): Plan {
  const builder = new PlanBuilder(query, catalog, circumstances)
  const kind = query.model === undefined ? 'absent' : builder.add(query.model, 'requested') ? undefined : 'unknown'
  const isRefused = query.model !== undefined && query.allows?.(query.model) === false
  if (kind) {
    builder.missing = isRefused ? refusedModel(query.model) : missingModel(query, kind)
    builder.addNamed()
  }
  builder.addPassedOver()
  if (!isRefused && catalog.fallback !== undefined && query.preferences?.standIns !== false)
    builder.add(catalog.fallback, 'missing_model')
  builder.addPassedOver()
  return builder.plan()
}

class PlanBuilder {
  #targets: Target[] = []
  readonly #skipped: Skipped[] = []
  readonly #seen = new Set<string>()
  #query: Query
  readonly #catalog: Catalog
  readonly #circumstances: Circumstances
  readonly #known: Known
  /** Passed over for now: those over their rate, and those in cooldown. */
  readonly #busy: Target[] = []
  readonly #cooling: Target[] = []
  #shadow: Plan['shadow']
  /** Why there is no model of the requested name. */
  missing: GatewayError | undefined

  constructor(query: Query, catalog: Catalog, circumstances: Circumstances) {
    this.#query = query
    this.#catalog = catalog
    this.#circumstances = circumstances
    this.#known = circumstances.known
  }

  /** Adds a model, then its fallbacks; false if no model has that name. */
  add(name: string, why: Target['why']): boolean {
    const group = findGroup(this.#catalog, name, this.#known)
    if (!group) return false
    if (this.#seen.has(group.name)) return true
    this.#seen.add(group.name)
    if (!this.#isAllowed(name)) return false
    this.#addDeployments(group, why)
    if (why === 'requested') this.addNamed()
    const { preferences } = this.#query
    // Too long for one of its deployments is too long for most fallbacks.
    if (this.#skipped.some(({ kind }) => kind === 'context_length')) this.#addLarger(group, why)
    const replaced = why === 'requested' && preferences && preferences.models.length > 0
    if (preferences?.standIns !== false && !replaced)
      for (const fallback of group.fallbacks) this.add(fallback, why === 'requested' ? 'fallback' : why)
    if (why !== 'requested') return true
    // A copy would go where the request may not want to go.
    if (preferences?.standIns !== false && !preferences?.provider) this.#shadow = group.shadow
    this.addPassedOver()
    if (preferences?.standIns === false) return true
    this.#addLarger(group, why)
    for (const freer of group.contentPolicyFallbacks ?? []) this.add(freer, 'content_policy')
    return true
  }

  /** Adds the models for requests that are too long for the requested one, unless they are there already. */
  #addLarger({ contextWindowFallbacks = [] }: ModelGroup, why: Target['why']): void {
    if (why !== 'requested' || this.#query.preferences?.standIns === false) return
    for (const larger of contextWindowFallbacks) this.add(larger, 'context_length')
  }

  /** Adds the other models that the request names. */
  addNamed(): void {
    const query = this.#query
    for (const { name, differing } of query.preferences?.models ?? []) {
      const group = findGroup(this.#catalog, name, this.#known)
      if (!group) this.#skipped.push({ name, kind: 'unknown', why: 'there is no model of this name' })
      else if (!this.#isAllowed(name)) continue
      else if (differing) {
        this.#query = { ...query, ...differing.demand }
        const deployments = group.deployments.map((deployment) => withFields(deployment, differing.fields))
        this.#addDeployments({ ...group, deployments }, 'named')
        this.#query = query
      } else if (!this.#seen.has(group.name)) {
        this.#seen.add(group.name)
        this.#addDeployments(group, 'named')
      }
    }
  }

  #isAllowed(name: string): boolean {
    if (this.#query.allows?.(name) !== false) return true
    this.#skipped.push({ name, kind: 'not_allowed', why: "the client's key is not for this model" })
    return false
  }

  /** Adds what was passed over so far, behind what may be tried at once. */
  addPassedOver(): void {
    if (this.#busy.length + this.#cooling.length > 0)
      this.#targets.push(...this.#busy.splice(0), ...this.#cooling.splice(0))
  }

  plan(): Plan {
    this.#leaveOutIncapable()
    const { model: requested } = this.#query
    const failure = failureOf(this.#query, this.#targets[0], { skipped: this.#skipped, missing: this.missing })
    const { missing } = this.#catalog
    // With the policy `error` for a missing model, no other model is tried but those that the request names.
    const told = failure && isMissing(failure.kind) && missing[failure.kind] === 'error'
    const targets = told ? this.#targets.filter(({ why }) => why === 'named') : this.#targets
    return { requested, targets, skipped: this.#skipped, failure, missing, shadow: this.#shadow }
  }

  /** Adds as many of a model's deployments as a request may try, by priority; the others are never drawn. */
  #addDeployments(given: ModelGroup, why: Target['why']): void {
    const { maxAttempts } = this.#catalog.resilience
    const { preferences } = this.#query
    const group = preferences ? { ...given, limits: limitsFor(given.limits, preferences) } : given
    const { order = [], allowFallbacks = true } = preferences?.provider ?? {}
    // Without fallbacks and an order, only the first deployment that fits is for the request.
    const single = !allowFallbacks && order.length === 0
    let wanted = maxAttempts
    let left = group.deployments.length
    for (const level of order.length > 0 ? preferredLevels(group.deployments, order) : levelsOf(group.deployments)) {
      const draw = level.length > 1 ? this.#drawFrom(level, group) : undefined
      for (let turn = 0; turn < level.length && wanted > 0; turn++) {
        const deployment = draw ? draw.next() : level[turn]
        left--
        const before = single && this.#size
        if (deployment && this.#addDeployment(deployment, group, why)) wanted--
        if (single && this.#size !== before) wanted = 0
      }
    }
    if (left === 0) return
    const reason = single ? 'the request allows no fallbacks' : `a request has ${maxAttempts} attempts`
    const told = `${left} of ${group.deployments.length} deployments, since ${reason}`
    this.#skipped.push({ name: group.name, kind: 'not_drawn', why: told })
  }

  get #size(): number {
    return this.#targets.length + this.#busy.length + this.#cooling.length
  }

  #drawFrom(level: readonly Deployment[], { limits: { routingStrategy, sticky } }: ModelGroup): Draw {
    const { random, now, health = () => undefined } = this.#circumstances
    const { session, user } = this.#query
    const key = sticky === false ? undefined : session || (sticky && user) || undefined
    if (routingStrategy === 'simple-shuffle' && key === undefined) return new Draw(level, random)
    const price = (deployment: Deployment) => priceOf(deployment, this.#known)
    return new Draw(level, random, preferenceOf(routingStrategy, { now, health, price }, key))
  }

  /** Returns whether the deployment can be tried at once. */
  #addDeployment(deployment: Deployment, group: ModelGroup, why: Target['why']): boolean {
    const listed = this.#known.get(deployment.provider.name)
    const obstacle =
      findObstacle(this.#query, deployment, listed) ??
      findExclusion(this.#query, deployment, this.#circumstances) ??
      this.#findSame(deployment)
    const skipped = obstacle ?? findRest(this.#query, deployment, this.#circumstances)
    if (skipped) this.#skipped.push({ name: deployment.label, ...skipped })
    if (obstacle) return false
    const targets = !skipped ? this.#targets : skipped.kind === 'cooldown' ? this.#cooling : this.#busy
    const contextWindow = contextWindowOf(deployment, listed)
    targets.push({ deployment, limits: group.limits, why, contextWindow, maxOutput: maxOutputOf(deployment, listed) })
    return !skipped && lackOf(this.#query, deployment, this.#circumstances) === undefined
  }

  #findSame(deployment: Deployment): Reason | undefined {
    const same = (target: Target) => asksTheSame(target.deployment, deployment)
    if (!this.#targets.some(same) && !this.#busy.some(same) && !this.#cooling.some(same)) return undefined
    return { kind: 'duplicate', why: 'it is in the plan already' }
  }

  /**
   * Leaves out the targets that lately said they can't do what the request needs, while others are there. Otherwise
   * they are asked again: they may have changed, and their own words tell the client more.
   */
  #leaveOutIncapable(): void {
    if (this.#query.needs.size === 0 || this.#targets.length < 2) return
    const lacking = new Map<Target, Capability>()
    for (const target of this.#targets) {
      const lack = lackOf(this.#query, target.deployment, this.#circumstances)
      if (lack) lacking.set(target, lack)
    }
    const able = this.#targets.filter((target) => !lacking.has(target))
    // The gateway-wide fallback stands in for missing models only.
    if (lacking.size === 0 || !able.some(({ why }) => why !== 'missing_model')) return
    this.#targets = able
    for (const [{ deployment }, lack] of lacking) {
      this.#skipped.push({ name: deployment.label, kind: 'incapable', why: lackAdmitted(lack) })
    }
  }
}

/** The same model of the same provider with the same parameters: what failed once would only fail again. */
function asksTheSame(a: Deployment, b: Deployment): boolean {
  const way = ({ defaults, overrides }: Deployment) => JSON.stringify([defaults, overrides])
  return a.label === b.label && way(a) === way(b)
}
