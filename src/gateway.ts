import type { Store } from './cache/answers.ts'
import type { Flights } from './cache/flying.ts'
import type { CacheHost } from './cache/host.ts'
import type { Cache } from './cache/layer.ts'
import { connect, learntKey } from './connect/connect.ts'
import type { Learnt } from './connect/remedies.ts'
import { tenantFor } from './core/account.ts'
import { type Answer, withStep } from './core/answer.ts'
import { type CacheAsk, type Call, compose } from './core/call.ts'
import type { Catalog } from './core/catalog.ts'
import { HealthBook } from './core/health.ts'
import { Knowledge } from './core/knowledge.ts'
import { once } from './core/late.ts'
import type { Operation } from './core/operation.ts'
import type { Circumstances, Plan } from './core/plan.ts'
import { type Readiness, readinessOf } from './core/readiness.ts'
import { RetryBudget } from './core/retry-budget.ts'
import type { Services } from './core/services.ts'
import { KnownShortcomings } from './core/shortcomings.ts'
import type { Signal } from './core/signal.ts'
import type { Trace } from './core/trace.ts'
import { createDirectory, type Directory } from './directory.ts'
import type { Explanation } from './explain.ts'
import { createFetching, type Fetching } from './fetching.ts'
import { isHedged, isRenewable, isResumed, isShareable, isToBeChecked } from './layers/concerns.ts'
import { fallback } from './layers/fallback.ts'
import { gate } from './layers/gate.ts'
import { integrity } from './layers/integrity.ts'
import { keepAlive } from './layers/keepalive.ts'
import { lateLayer } from './layers/late.ts'
import { pull } from './layers/pull.ts'
import { Pulls } from './layers/pulls.ts'
import { record } from './layers/record.ts'
import { reserve } from './layers/reserve.ts'
import { retry } from './layers/retry.ts'
import { timeout } from './layers/timeout.ts'
import { translate } from './layers/translate.ts'
import { type Asked, createPlanner, queryOf } from './planner.ts'
import { type HeaderReader, headerValue } from './wire/headers.ts'

/** An inference request, parsed and validated. */
export interface GatewayRequest extends Asked {
  /** Aborted when the client disconnects. */
  readonly signal: Signal
  /** Absent: no kept answer is right for it. */
  readonly header?: HeaderReader
  /** What it may join that others are getting. Absent: what the gateway has. */
  readonly flights?: Flights | undefined
  /** The name of the client's key. */
  readonly key?: string | undefined
  readonly bearer: string | undefined
  readonly requestId: string
  /** What was left out of the request before. */
  readonly dropped?: readonly string[] | undefined
  /** Headers of the client's for an upstream of the same API. */
  readonly carried?: Readonly<Record<string, string>> | undefined
  /** How many gateways the request has passed through before this one. */
  readonly hops: number
  /** Filled during the request, even if it fails. */
  readonly trace: Trace
}

/** What a gateway learns from its traffic, by deployment. */
export interface Learned {
  readonly health: HealthBook
  readonly shortcomings: KnownShortcomings
  /** By `learntKey`. */
  readonly remedies: Map<string, Learnt>
  readonly budget: RetryBudget
}

export interface Gateway extends Directory, Fetching {
  readonly catalog: Catalog
  readonly knowledge: Knowledge
  readonly learned: Learned
  /** Resolves with a 2xx answer in OpenAI's format, or rejects with a `GatewayError`. */
  answer(request: GatewayRequest): Promise<Answer>
  /** What would be done with a request, without doing it. Asks nobody, not even for lists of models. */
  explain(asked: Asked): Promise<Explanation>
  readiness(): Readiness
  /** Where answers are kept. */
  readonly store: () => Promise<Store>
  /** Answers with what was answered before. Absent: nothing does. */
  readonly cache?: (() => Promise<Cache>) | undefined
}

export interface GatewayOptions {
  /** Seconds of silence after which a stream opens with a comment. */
  readonly keepAlive?: number | undefined
  /** What there is for keeping answers. Absent: what every runtime has. */
  readonly cacheHost?: (() => Promise<CacheHost>) | undefined
}

export function composeGateway(catalog: Catalog, services: Services, options: GatewayOptions = {}): Gateway {
  const { log, clock } = services
  const { cooldown, onExhausted, maxAttempts, requestTimeout } = catalog.resilience
  const health = new HealthBook(services, cooldown)
  const budget = new RetryBudget(clock)
  const knowledge = new Knowledge(catalog.providers.values(), services)
  const shortcomings = new KnownShortcomings(services.clock)
  const directory = createDirectory(catalog, knowledge, Math.floor(clock.now() / 1000))

  // The order matters, outermost first: `keepAlive` breaks any silence inside; `cache` asks
  // for what nobody has asked before; `reserve` takes what that needs of limits and budgets; `hedge` sends the request of a late
  // stream to a second target; `translate` gives a target what it knows; `renew` translates answers that have been put
  // right; `resume` joins what `integrity` has checked; `integrity` checks a stream's end, and `pull` pulls, once for all
  // tries of a target; `share` gives each part of a request its own tries, and `structured` each of its two questions;
  // `timeout` gives each try its own time; `gate` is around each exchange, so that a stream that dies at once is a failure
  // for all layers, and one that opens with a refusal is remedied.
  const learnt = new Map<string, Learnt>()
  const pulls = new Pulls(services)
  const { download } = services
  const fetcher = once(async () => {
    const { ImageFetcher } = await import('./connect/images.ts')
    return download && new ImageFetcher({ download, clock, fetching: catalog.images })
  })
  const imagesFor = async (call: Call) => await (await fetcher())?.imagesFor(call)
  const connected = connect(services, gate, learnt, catalog.images.enabled ? imagesFor : undefined)
  const store = once(async () => {
    const { openStore } = await import('./cache/host.ts')
    return await openStore(clock, catalog.cache?.maxBytes, options.cacheHost)
  })
  const opened = async () => {
    const { createCache } = await import('./cache/layer.ts')
    return createCache({ ...services, catalog, known: knowledge.known, ...(await store()) })
  }
  const cache = catalog.cache && once(opened)
  const upstream = compose(
    keepAlive({ clock, log, random: services.random, ms: (options.keepAlive ?? 10) * 1000 }),
    ...(cache ? [lateLayer(always, async () => (await cache()).layer)] : []),
    reserve(budget),
    fallback({ clock, health, onExhausted, maxAttempts }),
    lateLayer(isHedged, async () => (await import('./layers/hedge.ts')).hedge({ clock, health, maxAttempts })),
    translate(services),
    lateLayer(isRenewable, async () => (await import('./layers/renew.ts')).renew()),
    lateLayer(isResumed, async () => (await import('./layers/resume.ts')).resume(services)),
    integrity(services),
    pull(services, pulls),
    lateLayer(isShareable, async () => (await import('./layers/share.ts')).share(services)),
    lateLayer(isToBeChecked, async () => (await import('./layers/structured.ts')).structured(services)),
    retry({ ...services, health, budget, maxAttempts }),
    record({ ...services, health, shortcomings }),
    timeout({ clock, log }),
  )(connected)
  // A copy counts for the health of its deployment too, but its failure is no line of the client's request in the log.
  const unlogged = record({ ...services, log() {}, health, shortcomings })
  const shadows = once(async () => {
    const { Shadows } = await import('./layers/shadow.ts')
    return new Shadows(compose(translate(services), unlogged, timeout({ clock, log }))(connected), services)
  })

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
  const planner = createPlanner(catalog, knowledge, circumstances)

  /** A copy of a request to another model; undefined if that is in no state to answer it. */
  function shadowOf(call: Call, model: string, session: string | undefined): (() => Promise<void>) | undefined {
    const { operation, body } = call
    const { targets, skipped } = planner.planNow({ ...queryOf({ operation, body, session }), model })
    const [target] = targets
    const isResting = skipped.some(({ name }) => name === target?.deployment.label)
    return target?.why === 'requested' && !isResting
      ? async () => await (await shadows()).send({ ...call, target })
      : undefined
  }

  async function answer(request: GatewayRequest): Promise<Answer> {
    const { operation, signal, bearer, requestId, session, hops, trace, dropped, carried } = request
    const { query, body: asked, routed } = planner.read({ ...request, account: trace.account })
    const planned = inTermsOf(operation, await planner.plan(query))
    trace.plan = planned
    // Let in before, it goes on in another form.
    const { account, admission: before } = trace
    if (!before && account && planned.targets.length > 0) {
      const given = account.admit({ operation, body: asked, plan: planned, user: query.user, routed })
      trace.admission = given instanceof Promise ? await given : given
    }
    const { admission } = trace
    const made = admission?.plan ?? planned
    const body = before ? asked : (admission?.body ?? asked)
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
      routed,
      ...(dropped && dropped.length > 0 && { dropped }),
      ...(carried && { carried }),
      ...(admission && { optional: admission.optional }),
      ...(cache && request.header && { cache: askOf(request, request.header) }),
    }
    const { shadow } = made
    if (shadow && services.random() * 100 < shadow.percent && body.isWhole) {
      const copy = shadowOf(call, shadow.model, session)
      if (copy) trace.shadow = copy
    }
    const answered = await upstream(call)
    return admission?.stage ? withStep(answered, { stage: admission.stage, carried: 'never' }) : answered
  }

  return {
    catalog,
    knowledge,
    learned: { health, shortcomings, remedies: learnt, budget },
    answer,
    async explain(asked) {
      const { explain } = await import('./explain.ts')
      const { query, body, routed } = planner.read(asked)
      const { operation } = asked
      const { known } = knowledge
      const now = clock.now()
      return await explain(planner.planNow(query), { operation, body, routed, catalog, known, health, learnt, now })
    },
    readiness: () => readinessOf(catalog, health),
    ...{ store, cache },
    ...directory,
    ...createFetching(catalog, knowledge, pulls),
  }
}

/** What whoever a request is charged to lets of it through. */
const always = () => true

function askOf({ key, body, trace, flights }: GatewayRequest, header: HeaderReader): CacheAsk {
  return { control: header('cache-control'), tenant: tenantFor(trace.account, key), asked: body, flights }
}

/** A plan whose failure is about the client's own fields, also where the plan is for a chat in place of what was asked. */
function inTermsOf({ over }: Operation, plan: Plan): Plan {
  return plan.failure && over?.failure ? { ...plan, failure: over.failure(plan.failure) } : plan
}
