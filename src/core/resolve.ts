import { GatewayError, isMissing, type MissingKind, shorten, unknownModel } from '../wire/errors.ts'
import { type Catalog, type Deployment, findGroup, type Known, type ModelGroup } from './catalog.ts'
import { type Capability, paramOfCapability } from './operation.ts'
import type { Plan, Query, Skipped, Target } from './plan.ts'
import type { KnownModel } from './provider.ts'
import type { Shortcomings } from './shortcomings.ts'

/**
 * Turns a request into an ordered plan. Pure, so that every decision can be tested as a table and shown to a user.
 * `random`, in [0, 1), chooses among weighted deployments.
 */
export function resolve(
  query: Query,
  catalog: Catalog,
  known: Known,
  random: () => number,
  shortcomings?: Shortcomings,
): Plan {
  const builder = new PlanBuilder(query, catalog, known, random, shortcomings)
  const kind = query.model === undefined ? 'absent' : builder.add(query.model, 'requested') ? undefined : 'unknown'
  if (kind) builder.failure = missingModel(query, kind)
  if (catalog.fallback !== undefined) builder.add(catalog.fallback, 'missing_model')
  return builder.plan()
}

class PlanBuilder {
  #targets: Target[] = []
  readonly #skipped: Skipped[] = []
  readonly #seen = new Set<string>()
  readonly #query: Query
  readonly #catalog: Catalog
  readonly #known: Known
  readonly #random: () => number
  readonly #shortcomings: Shortcomings | undefined
  failure: GatewayError | undefined

  constructor(query: Query, catalog: Catalog, known: Known, random: () => number, shortcomings?: Shortcomings) {
    this.#shortcomings = shortcomings
    this.#query = query
    this.#catalog = catalog
    this.#known = known
    this.#random = random
  }

  /** Adds a model, then its fallbacks; false if no model has that name. */
  add(name: string, why: Target['why']): boolean {
    const group = findGroup(this.#catalog, name, this.#known)
    if (!group) return false
    if (this.#seen.has(group.name)) return true
    this.#seen.add(group.name)
    for (const deployment of weighted(group.deployments, this.#random)) this.#addDeployment(deployment, group, why)
    for (const fallback of group.fallbacks) this.add(fallback, why === 'requested' ? 'fallback' : why)
    if (why !== 'requested') return true
    for (const larger of group.contextWindowFallbacks ?? []) this.add(larger, 'context_length')
    for (const freer of group.contentPolicyFallbacks ?? []) this.add(freer, 'content_policy')
    return true
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
    // With the policy `error` for a missing model, no other model is tried.
    const told = failure && isMissing(failure.kind) && missing[failure.kind] === 'error'
    return { requested, targets: told ? [] : this.#targets, skipped: this.#skipped, failure, missing }
  }

  #addDeployment(deployment: Deployment, group: ModelGroup, why: Target['why']): void {
    const obstacle = findObstacle(this.#query, deployment, this.#known.get(deployment.provider.name))
    if (obstacle) this.#skipped.push({ name: deployment.label, ...obstacle })
    else if (!this.#targets.some((target) => asksTheSame(target.deployment, deployment))) {
      const contextWindow = windowOf(deployment, this.#known.get(deployment.provider.name))
      this.#targets.push({ deployment, limits: group.limits, why, contextWindow })
    }
  }

  /**
   * Leaves out the targets that lately said they can't do what the request needs, while others are there. Otherwise
   * they are asked again: they may have changed, and their own words tell the client more.
   */
  #leaveOutIncapable(): void {
    if (!this.#shortcomings || this.#query.needs.size === 0 || this.#targets.length < 2) return
    const lacking = new Map<Target, Capability>()
    for (const target of this.#targets) {
      const lack = [...this.#query.needs].find((need) => this.#shortcomings?.has(target.deployment.label, need))
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
    const [first] = this.#skipped
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

/** Every deployment once, in an order drawn by weight, so that the second choice is fair too if the first fails. */
function weighted(deployments: readonly Deployment[], random: () => number): readonly Deployment[] {
  if (deployments.length < 2) return deployments
  const left = [...deployments]
  const order: Deployment[] = []
  while (left.length > 0) {
    const total = left.reduce((sum, { weight }) => sum + weight, 0)
    let at = random() * total
    let pick = left.findIndex(({ weight }) => {
      at -= weight
      return at < 0
    })
    if (pick < 0) pick = 0
    order.push(...left.splice(pick, 1))
  }
  return order
}

type Listed = ReadonlyMap<string, KnownModel> | undefined

/** Why a deployment can't serve a request, as far as is known without asking it. */
function findObstacle(query: Query, deployment: Deployment, listed: Listed): Omit<Skipped, 'name'> | undefined {
  const { provider } = deployment
  if (provider.unavailable) return { kind: 'no_live_provider', why: provider.unavailable }
  if (!provider.operations[query.operation]) {
    return { kind: 'wrong_endpoint', why: `${provider.definition.title} does not serve ${query.operation}` }
  }
  const entry = entryOf(deployment, listed)
  if (!entry && listed && listed.size > 0 && provider.definition.answersAnyName) {
    return { kind: 'not_found', why: `${provider.name} serves ${[...listed.keys()].join(', ')} only` }
  }
  const supports = { ...entry?.supports, ...deployment.known.supports }
  for (const need of query.needs) {
    if (supports[need] === false) return { kind: 'incapable', why: `it is not capable of ${capabilityNames[need]}` }
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

function entryOf({ model }: Deployment, listed: Listed): KnownModel | undefined {
  return listed?.get(model) ?? listed?.get(`${model}:latest`)
}

function windowOf(deployment: Deployment, listed: Listed): number | undefined {
  return deployment.known.contextWindow ?? entryOf(deployment, listed)?.contextWindow
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
