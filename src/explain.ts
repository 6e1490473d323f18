import { changesOf } from './connect/changes.ts'
import { learntKey } from './connect/connect.ts'
import type { Learnt } from './connect/remedies.ts'
import type { BreakerState } from './core/breaker.ts'
import type { Catalog, Known } from './core/catalog.ts'
import type { HealthBook } from './core/health.ts'
import { priceOf } from './core/listed.ts'
import type { Operation } from './core/operation.ts'
import type { Plan, Skipped, Target } from './core/plan.ts'
import type { Price } from './core/provider.ts'
import { foresee } from './foreseen.ts'
import type { RequestBody } from './wire/body.ts'
import { errorEnvelope, type FailureKind } from './wire/errors.ts'
import type { JsonObject } from './wire/json.ts'

/** A plan for people and programs. Times in seconds. */
export interface Explanation {
  readonly object: 'routing.plan'
  readonly operation: string
  readonly model: string | null
  readonly attempts: readonly ExplainedTarget[]
  readonly skipped: readonly { readonly name: string; readonly reason: Skipped['kind']; readonly message: string }[]
  readonly max_attempts: number
  readonly request_timeout: number
  readonly on_exhausted: Catalog['resilience']['onExhausted']
  /** Why the requested model itself is not the first attempt; without attempts, what the client gets. */
  readonly error: JsonObject | null
}

export interface ExplainedTarget {
  readonly deployment: string
  readonly provider: string
  readonly why: Target['why']
  readonly timeout: number
  readonly stream_timeout: number
  readonly idle_timeout: number
  readonly retries: number
  /** In US dollars per million tokens; null if unknown. */
  readonly price: Price | null
  /** `due_in`: to the millisecond, rounded up, so that at 0 it is due. */
  readonly breaker: { readonly state: BreakerState; readonly due_in: number }
  /** Names only: the values may be the operator's own. */
  readonly changes: { readonly set: readonly string[]; readonly drop: readonly string[] }
  /** The fields that it doesn't support and that `dropParams` lets go. */
  readonly dropped: readonly string[]
  /** Why it would refuse the request without asking its upstream; null if it wouldn't. */
  readonly refusal: ExplainedRefusal | null
}

interface ExplainedRefusal {
  readonly reason: FailureKind
  readonly param: string | null
  readonly message: string
}

interface Explained {
  readonly operation: Operation
  readonly body: RequestBody
  /** For routers. */
  readonly routed: RequestBody | undefined
  readonly catalog: Catalog
  readonly known: Known
  readonly health: Pick<HealthBook, 'find'>
  readonly learnt: ReadonlyMap<string, Learnt>
  readonly now: number
}

/** Words a plan. Reads only, so that it counts for nothing. */
export async function explain(plan: Plan, explained: Explained): Promise<Explanation> {
  const { requested, targets, skipped, failure } = plan
  const { operation, catalog } = explained
  const { maxAttempts, requestTimeout, onExhausted } = catalog.resilience
  return {
    object: 'routing.plan',
    operation: operation.name,
    model: requested ?? null,
    attempts: await Promise.all(targets.map((target) => explainTarget(target, explained))),
    skipped: skipped.map(({ name, kind, why }) => ({ name, reason: kind, message: why })),
    max_attempts: maxAttempts,
    request_timeout: requestTimeout / 1000,
    on_exhausted: onExhausted,
    error: failure ? { status: failure.status, ...(errorEnvelope(failure).error as JsonObject) } : null,
  }
}

async function explainTarget(
  target: Target,
  { operation, body, routed, known, health, learnt, now }: Explained,
): Promise<ExplainedTarget> {
  const { deployment, limits, why } = target
  const { label, provider } = deployment
  const breaker = health.find(label)?.breaker
  const sent = (provider.routes && routed) || body
  const wayOf = (name: string) => learnt.get(learntKey(name, label)) ?? { remedy: {} }
  const changes = changesOf({ operation, body: sent, target }, wayOf(operation.name).remedy)
  const { dropped, refusal } = await foresee({ operation, body: sent, target }, wayOf)
  return {
    deployment: label,
    provider: provider.name,
    why,
    timeout: limits.timeout / 1000,
    stream_timeout: limits.streamTimeout / 1000,
    idle_timeout: limits.idleTimeout / 1000,
    retries: limits.retries,
    price: priceOf(deployment, known) ?? null,
    breaker: { state: breaker?.state(now) ?? 'closed', due_in: Math.ceil(breaker?.wait(now) ?? 0) / 1000 },
    changes: {
      set: [...(changes?.set.keys() ?? [])].filter((name) => name !== 'model'),
      drop: [...(changes?.drop ?? [])].filter((name) => Object.hasOwn(sent.outline, name)),
    },
    dropped,
    refusal: refusal ? { reason: refusal.kind, param: refusal.param, message: refusal.message } : null,
  }
}
