import { connect, learntKey } from './connect/connect.ts'
import type { Learnt } from './connect/remedies.ts'
import type { Answer } from './core/answer.ts'
import { type Call, compose, type Trace } from './core/call.ts'
import { type Catalog, findGroup } from './core/catalog.ts'
import { HealthBook } from './core/health.ts'
import { Knowledge } from './core/knowledge.ts'
import { entryOf } from './core/listed.ts'
import type { Operation } from './core/operation.ts'
import type { Circumstances, Plan, Query, Target } from './core/plan.ts'
import type { Preferences, RequestLimits } from './core/preferences.ts'
import { hasRouting, namedIn, readPreferences, routingFields } from './core/read-preferences.ts'
import { type Readiness, readinessOf } from './core/readiness.ts'
import { resolve } from './core/resolve.ts'
import { RetryBudget } from './core/retry-budget.ts'
import type { Services } from './core/services.ts'
import { KnownShortcomings } from './core/shortcomings.ts'
import type { Signal } from './core/signal.ts'
import { type Explanation, explain } from './explain.ts'
import { fallback } from './layers/fallback.ts'
import { gate } from './layers/gate.ts'
import { hedge } from './layers/hedge.ts'
import { integrity } from './layers/integrity.ts'
import { keepAlive } from './layers/keepalive.ts'
import { pull } from './layers/pull.ts'
import { record } from './layers/record.ts'
import { resume } from './layers/resume.ts'
import { retry } from './layers/retry.ts'
import { mostShadowed, Shadows } from './layers/shadow.ts'
import { timeout } from './layers/timeout.ts'
import { type RequestBody, renamed, withoutFields } from './wire/body.ts'
import { headerValue } from './wire/headers.ts'

/** An inference request, parsed and validated. */
export interface GatewayRequest {
  readonly operation: Operation
  readonly body: RequestBody
  /** Aborted when the client disconnects. */
  readonly signal: Signal
  readonly bearer: string | undefined
  readonly requestId: string
  /** The session that the client named beside the body. */
  readonly session: string | undefined
  /** Limits that the client named beside the body. */
  readonly limits?: RequestLimits | undefined
  /** How many gateways the request has passed through before this one. */
  readonly hops: number
  /** Filled during the request, even if it fails. */
  readonly trace: Trace
}

/** What a plan needs of a request. */
export type Asked = Pick<GatewayRequest, 'operation' | 'body' | 'session' | 'limits'>

/** What a request says of its own routing. */
interface Routing {
  /** The request without that. */
  readonly body: RequestBody
  /** The whole request, for routers. */
  readonly routed?: RequestBody
  readonly preferences: Preferences | undefined
}

export interface ListedModel {
  readonly id: string
  readonly object: 'model'
  readonly created: number
  readonly owned_by: string
}

export interface Gateway {
  readonly catalog: Catalog
  readonly knowledge: Knowledge
  /** Resolves with a 2xx answer in OpenAI's format, or rejects with a `GatewayError`. */
  answer(request: GatewayRequest): Promise<Answer>
  /** What would be done with a request, without doing it. Asks nobody, not even for lists of models. */
  explain(asked: Asked): Explanation
  readiness(): Readiness
  models(): Promise<readonly ListedModel[]>
  model(id: string): Promise<ListedModel | undefined>
}

/** Milliseconds after which the lists are fetched again for a name that isn't on them. */
const soon = 5_000

export interface GatewayOptions {
  /** Seconds of silence after which a stream opens with a comment. */
  readonly keepAlive?: number | undefined
}

export function createGateway(catalog: Catalog, services: Services, options: GatewayOptions = {}): Gateway {
  const { log, clock } = services
  const { cooldown, onExhausted, maxAttempts, requestTimeout } = catalog.resilience
  const health = new HealthBook(services, cooldown)
  const budget = new RetryBudget(clock)
  const knowledge = new Knowledge(catalog.providers.values(), services)
  const shortcomings = new KnownShortcomings(services.clock)
  const started = Math.floor(services.clock.now() / 1000)

  // The order matters, outermost first: `keepAlive` breaks any silence inside; `hedge` sends the request of a late stream
  // to a second target; `resume` joins what `integrity` has checked; `integrity` checks a stream's end, and `pull` pulls,
  // once for all tries of a target; `timeout` gives each try its own time; `gate` is around each exchange, so that a
  // stream that dies at once is a failure for all layers, and one that opens with a refusal is remedied.
  const learnt = new Map<string, Learnt>()
  const connected = connect(services, gate, learnt)
  const upstream = compose(
    keepAlive({ clock, log, ms: (options.keepAlive ?? 10) * 1000 }),
    fallback({ clock, health, onExhausted, maxAttempts }),
    hedge({ clock, health, maxAttempts }),
    resume(services),
    integrity(services),
    pull(services),
    retry({ ...services, health, budget, maxAttempts }),
    record({ ...services, health, shortcomings }),
    timeout({ clock, log }),
  )(connected)
  // A copy counts for the health of its deployment too, but its failure is no line of the client's request in the log.
  const unlogged = record({ ...services, log() {}, health, shortcomings })
  const shadows = new Shadows(compose(unlogged, timeout({ clock, log }))(connected), services)

  const circumstances: Circumstances = {
    known: knowledge.known,
    random: services.random,
    get now() {
      return clock.now()
    },
    health: (label) => health.find(label),
    shortcomings,
    refused(operation, label) {
      const { drop = [], spare = [] } = learnt.get(learntKey(operation, label))?.remedy ?? {}
      return [...drop, ...spare]
    },
  }

  function queryOf(
    operation: Operation,
    body: RequestBody,
    session: string | undefined,
    preferences?: Preferences,
  ): Query {
    const query = { model: body.model, operation: operation.name, ...operation.query(body), preferences }
    return session ? { ...query, session } : query
  }

  /** Reads what a request says of its routing; undefined if that is nothing, as in most requests. */
  function routingOf({ operation, body, limits }: Asked): Routing | undefined {
    if (!hasRouting(body.outline)) return limits && { body, preferences: { models: [], standIns: true, limits } }
    const names = [body.model ?? [], namedIn(body.outline)].flat()
    const deployments = names.flatMap((name) => findGroup(catalog, name, knowledge.known)?.deployments ?? [])
    // A request to routers only is for them to read. Its other models need not even be known here.
    if (deployments.length > 0 && deployments.every(({ provider }) => provider.routes)) {
      const own = body.model === undefined && names[0] !== undefined ? renamed(body, names[0]) : body
      // Nobody else can keep to what the router is told.
      const standIns = body.outline.provider === undefined && body.outline.disable_fallbacks !== true
      const preferences = limits || !standIns ? { models: [], standIns, limits } : undefined
      return { body: withoutFields(own, routingFields), routed: own, preferences }
    }
    const { model, ...preferences } = readPreferences(body, operation, limits)
    const kept = withoutFields(body, routingFields)
    return { body: model === undefined ? kept : renamed(kept, model), preferences }
  }

  async function plan(query: Query): Promise<Plan> {
    const first = resolve(query, catalog, circumstances)
    const unlisted =
      first.failure?.kind === 'unknown' || first.skipped.some(({ kind }) => kind === 'not_found' || kind === 'unknown')
    const pricesMatter = query.preferences?.provider?.maxPrice !== undefined
    if (!unlisted && !first.targets.some((target) => needsList(target, pricesMatter))) return first
    // The provider may list an unknown name by now, and a server that answers to any name must be asked what it has:
    // refresh the lists before the client gets an error or the wrong model.
    await knowledge.refresh(unlisted ? soon : undefined)
    return resolve(query, catalog, circumstances)
  }

  /** A copy of a request to another model; undefined if that is in no state to answer it. */
  function shadowOf(call: Call, model: string, session: string | undefined): (() => Promise<void>) | undefined {
    const query = { ...queryOf(call.operation, call.body, session), model }
    const { targets, skipped } = resolve(query, catalog, circumstances)
    const [target] = targets
    const isResting = skipped.some(({ name }) => name === target?.deployment.label)
    return target?.why === 'requested' && !isResting ? () => shadows.send({ ...call, target }) : undefined
  }

  async function answer(request: GatewayRequest): Promise<Answer> {
    const { operation, signal, bearer, requestId, session, hops, trace } = request
    const routing = routingOf(request)
    const body = routing?.body ?? request.body
    const made = await plan(queryOf(operation, body, session, routing?.preferences))
    trace.plan = made
    for (const { name, why } of made.targets.length > 0 ? [] : made.skipped)
      log(`${requestId} ${headerValue(name)}: ${why}`)
    const [target] = made.targets
    if (made.failure) trace.reason = made.failure.reason
    else if (target && target.why !== 'requested') trace.reason = made.skipped[0]?.kind
    if (!target) throw made.failure ?? new Error('a plan without targets says why')
    const call: Call = {
      operation,
      body,
      streams: (operation.streams?.(body) ?? body.stream) && operation.reader !== undefined,
      plan: made,
      target,
      signal,
      trace,
      bearer,
      requestId,
      hops,
      deadline: clock.now() + requestTimeout,
      routed: routing?.routed,
    }
    budget.deposit()
    const { shadow } = made
    if (shadow && services.random() * 100 < shadow.percent && body.bytes.length <= mostShadowed && body.isWhole) {
      const copy = shadowOf(call, shadow.model, session)
      if (copy) trace.shadow = copy
    }
    return await upstream(call)
  }

  const needsList = ({ deployment: { provider, known }, limits }: Target, pricesMatter: boolean) =>
    !knowledge.known.has(provider.name) &&
    (provider.definition.answersAnyName === true ||
      ((pricesMatter || limits.routingStrategy === 'cost-based') && !known.price))

  const listed = (id: string, created: number | undefined, owner: string): ListedModel => ({
    id,
    object: 'model',
    created: created ?? started,
    owned_by: owner,
  })

  async function models(): Promise<readonly ListedModel[]> {
    await knowledge.refresh()
    const all = new Map<string, ListedModel>()
    for (const group of catalog.models.values()) {
      all.set(group.name, listed(group.name, undefined, group.deployments[0]?.provider.name ?? 'samewire'))
    }
    for (const [provider, list] of knowledge.known) {
      for (const { id, created } of list.values())
        all.set(`${provider}/${id}`, listed(`${provider}/${id}`, created, provider))
    }
    return [...all.values()]
  }

  async function model(id: string): Promise<ListedModel | undefined> {
    await knowledge.refresh()
    const [deployment] = findGroup(catalog, id, knowledge.known)?.deployments ?? []
    if (!deployment) return undefined
    const list = knowledge.known.get(deployment.provider.name)
    const entry = entryOf(deployment.model, list)
    // Configured names always exist; any other name must be on the provider's list, if there is one.
    if (!entry && list && list.size > 0 && !catalog.models.has(id)) return undefined
    return listed(id, entry?.created, deployment.provider.name)
  }

  return {
    catalog,
    knowledge,
    answer,
    explain(asked) {
      const routing = routingOf(asked)
      const body = routing?.body ?? asked.body
      const made = resolve(queryOf(asked.operation, body, asked.session, routing?.preferences), catalog, circumstances)
      const { name: operation } = asked.operation
      const { routed } = routing ?? {}
      const { known } = knowledge
      return explain(made, { operation, body, routed, catalog, known, health, learnt, now: clock.now() })
    },
    readiness: () => readinessOf(catalog, health),
    models,
    model,
  }
}
