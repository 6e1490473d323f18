import { GatewayError, isMissing, type MissingKind, shorten, unknownModel } from '../wire/errors.ts'
import { type Catalog, type Deployment, findGroup, type Known, type ModelGroup } from './catalog.ts'
import { Draw } from './draw.ts'
import type { Health } from './health.ts'
import { type Capability, paramOfCapability } from './operation.ts'
import { isExcluded, isObstacle, type Plan, type Query, type Skipped, type Target } from './plan.ts'
import { exclusionOf, limitsFor, rankOf, withFields } from './preferences.ts'
import type { KnownModel, Price } from './provider.ts'
import type { Shortcomings } from './shortcomings.ts'
import { preferenceOf } from './strategies.ts'

/** What a plan depends on beside the configuration. */
export interface Circumstances {
  readonly known: Known
  /** In [0, 1). */
  readonly random: () => number
  readonly now: number
  /** What was learned of deployments, by label. */
  readonly health?: (label: string) => Health | undefined
  readonly shortcomings?: Shortcomings
  /** The fields that a deployment refused before, in requests of an operation. */
  readonly refused?: (operation: string, label: string) => readonly string[]
}

/** Turns a request into an ordered plan. Pure, so that every decision can be tested as a table and shown to a user. */
export function resolve(query: Query, catalog: Catalog, circumstances: Circumstances): Plan {
  const builder = new PlanBuilder(query, catalog, circumstances)
  const kind = query.model === undefined ? 'absent' : builder.add(query.model, 'requested') ? undefined : 'unknown'
  if (kind) {
    builder.failure = missingModel(query, kind)
    builder.addNamed()
  }
  builder.addPassedOver()
  if (catalog.fallback !== undefined && query.preferences?.standIns !== false)
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
  failure: GatewayError | undefined

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
    this.#addDeployments(group, why)
    if (why === 'requested') this.addNamed()
    const { preferences } = this.#query
    const replaced = why === 'requested' && preferences && preferences.models.length > 0
    if (preferences?.standIns !== false && !replaced)
      for (const fallback of group.fallbacks) this.add(fallback, why === 'requested' ? 'fallback' : why)
    if (why !== 'requested') return true
    // A copy would go where the request may not want to go.
    if (preferences?.standIns !== false && !preferences?.provider) this.#shadow = group.shadow
    this.addPassedOver()
    if (preferences?.standIns === false) return true
    for (const larger of group.contextWindowFallbacks ?? []) this.add(larger, 'context_length')
    for (const freer of group.contentPolicyFallbacks ?? []) this.add(freer, 'content_policy')
    return true
  }

  /** Adds the other models that the request names. */
  addNamed(): void {
    const query = this.#query
    for (const { name, differing } of query.preferences?.models ?? []) {
      const group = findGroup(this.#catalog, name, this.#known)
      if (!group) this.#skipped.push({ name, kind: 'unknown', why: 'there is no model of this name' })
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

  /** Adds what was passed over so far, behind what may be tried at once. */
  addPassedOver(): void {
    if (this.#busy.length + this.#cooling.length > 0)
      this.#targets.push(...this.#busy.splice(0), ...this.#cooling.splice(0))
  }

  plan(): Plan {
    this.#leaveOutIncapable()
    const { model: requested } = this.#query
    const first = this.#targets[0]
    // If the fallback can't serve the request either, report the fallback's obstacle: the client can act on that one.
    const failure = first
      ? (this.failure ?? (first.why === 'requested' ? undefined : this.#skippedFailure()))
      : (this.#skippedFailure() ?? this.failure)
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
      findObstacle(this.#query, deployment, listed) ?? this.#findExclusion(deployment) ?? this.#findSame(deployment)
    const skipped = obstacle ?? this.#findRest(deployment)
    if (skipped) this.#skipped.push({ name: deployment.label, ...skipped })
    if (obstacle) return false
    const targets = !skipped ? this.#targets : skipped.kind === 'cooldown' ? this.#cooling : this.#busy
    targets.push({ deployment, limits: group.limits, why, contextWindow: windowOf(deployment, listed) })
    return !skipped && this.#lackOf(deployment) === undefined
  }

  #findExclusion(deployment: Deployment): Omit<Skipped, 'name'> | undefined {
    const { preferences, operation, needs } = this.#query
    const { refused } = this.#circumstances
    if (!preferences?.provider) return undefined
    const exclusion = exclusionOf(preferences.provider, deployment, () => ({
      price: priceOf(deployment, this.#known),
      refused: refused?.(operation, deployment.label) ?? [],
    }))
    if (exclusion || !preferences.provider.required || needs.size === 0) return exclusion
    const lack = this.#lackOf(deployment)
    return lack && { kind: 'unsupported', why: `it said that it is not capable of ${capabilityNames[lack]}` }
  }

  #findSame(deployment: Deployment): Omit<Skipped, 'name'> | undefined {
    const same = (target: Target) => asksTheSame(target.deployment, deployment)
    if (!this.#targets.some(same) && !this.#busy.some(same) && !this.#cooling.some(same)) return undefined
    return { kind: 'duplicate', why: 'it is in the plan already' }
  }

  /** Why a deployment is left alone for now. */
  #findRest({ label, rate }: Deployment): Omit<Skipped, 'name'> | undefined {
    const { now } = this.#circumstances
    const health = this.#circumstances.health?.(label)
    if (!health) return undefined
    const wait = health.breaker?.wait(now) ?? 0
    if (wait > 0) {
      return { kind: 'cooldown', why: `it is in cooldown after failures, for ${Math.ceil(wait / 1000)} s at most` }
    }
    const over = rate && health.use.over(rate, this.#query.tokens, now)
    return over && { kind: `over_${over}`, why: `it has been asked for its ${rate[over]} ${over} of this minute` }
  }

  #lackOf({ label }: Deployment): Capability | undefined {
    const { shortcomings } = this.#circumstances
    if (!shortcomings || this.#query.needs.size === 0) return undefined
    return [...this.#query.needs].find((need) => shortcomings.has(label, need))
  }

  /**
   * Leaves out the targets that lately said they can't do what the request needs, while others are there. Otherwise
   * they are asked again: they may have changed, and their own words tell the client more.
   */
  #leaveOutIncapable(): void {
    if (this.#query.needs.size === 0 || this.#targets.length < 2) return
    const lacking = new Map<Target, Capability>()
    for (const target of this.#targets) {
      const lack = this.#lackOf(target.deployment)
      if (lack) lacking.set(target, lack)
    }
    const able = this.#targets.filter((target) => !lacking.has(target))
    // The gateway-wide fallback stands in for missing models only.
    if (lacking.size === 0 || !able.some(({ why }) => why !== 'missing_model')) return
    this.#targets = able
    for (const [{ deployment }, lack] of lacking) {
      const why = `it said that it is not capable of ${capabilityNames[lack]}`
      this.#skipped.push({ name: deployment.label, kind: 'incapable', why })
    }
  }

  #skippedFailure(): GatewayError | undefined {
    const excluded = this.#skipped.find(isExcluded)
    if (excluded && !this.failure) {
      const { model = '' } = this.#query
      const message = `No deployment of \`${shorten(model)}\` fits 'provider': ${excluded.name}: ${excluded.why}.`
      const code = 'no_allowed_provider'
      return new GatewayError('bad_request', message, { status: 404, code, param: 'provider', reason: code })
    }
    const first = this.#skipped.find(isObstacle)
    if (!first) return undefined
    if (isMissing(first.kind)) return this.failure ?? missingModel(this.#query, first.kind)
    const param = first.kind === 'incapable' ? { param: paramOf(this.#query.needs) } : {}
    return new GatewayError(first.kind, `${shorten(this.#query.model ?? '')}: ${first.why}`, param)
  }
}

/** The same model of the same provider with the same parameters: what failed once would only fail again. */
function asksTheSame(a: Deployment, b: Deployment): boolean {
  const way = ({ defaults, overrides }: Deployment) => JSON.stringify([defaults, overrides])
  return a.label === b.label && way(a) === way(b)
}

/** Runs of deployments with the same priority. They are in its order. */
function levelsOf(deployments: readonly Deployment[]): readonly (readonly Deployment[])[] {
  if (deployments[0]?.order === deployments.at(-1)?.order) return [deployments]
  const orders = new Set(deployments.map(({ order }) => order))
  return [...orders].map((order) => deployments.filter((deployment) => deployment.order === order))
}

/** The same by provider: first those that the request wants first. */
function preferredLevels(deployments: readonly Deployment[], order: readonly string[]) {
  return [...order.keys(), order.length].flatMap((rank) =>
    levelsOf(deployments.filter((deployment) => rankOf(deployment, order) === rank)),
  )
}

/** The price of a deployment: the configured one, or that on its provider's list. */
export function priceOf({ known, provider, model }: Deployment, lists: Known): Price | undefined {
  return known.price ?? entryOf(model, lists.get(provider.name))?.price
}

type Listed = ReadonlyMap<string, KnownModel> | undefined

/** Why a deployment can't serve a request, as far as is known without asking it. */
function findObstacle(query: Query, deployment: Deployment, listed: Listed): Omit<Skipped, 'name'> | undefined {
  const { provider } = deployment
  if (provider.unavailable) return { kind: 'no_live_provider', why: provider.unavailable }
  if (!provider.operations[query.operation]) {
    return { kind: 'wrong_endpoint', why: `${provider.definition.title} does not serve ${query.operation}` }
  }
  const entry = entryOf(deployment.model, listed)
  if (!entry && listed && listed.size > 0 && provider.definition.answersAnyName) {
    return { kind: 'not_found', why: `${provider.name} serves ${[...listed.keys()].join(', ')} only` }
  }
  for (const need of query.needs) {
    const supported = deployment.known.supports?.[need] ?? entry?.supports?.[need]
    if (supported === false) return { kind: 'incapable', why: `it is not capable of ${capabilityNames[need]}` }
  }
  const window = windowOf(deployment, listed)
  if (window !== undefined && query.tokens > window) {
    return {
      kind: 'context_length',
      why:
        `This model's maximum context length is ${window} tokens. However, your messages need at least ` +
        `${query.tokens} tokens. Please reduce the length of the messages.`,
    }
  }
  return undefined
}

function entryOf(model: string, listed: Listed): KnownModel | undefined {
  return listed?.get(model) ?? listed?.get(`${model}:latest`)
}

function windowOf(deployment: Deployment, listed: Listed): number | undefined {
  return deployment.known.contextWindow ?? entryOf(deployment.model, listed)?.contextWindow
}

const capabilityNames: Readonly<Record<Capability, string>> = {
  tools: 'calling tools',
  vision: 'reading images',
  schema: 'keeping to a JSON schema',
}

function paramOf(needs: ReadonlySet<Capability>): string {
  const [need] = (['tools', 'schema', 'vision'] as const).filter((capability) => needs.has(capability))
  return paramOfCapability[need ?? 'vision']
}

export function missingModel({ model }: Query, kind: MissingKind): GatewayError {
  if (model === undefined) return new GatewayError('absent', 'you must provide a model parameter', { param: 'model' })
  return unknownModel(model, kind)
}
