import type { Call } from '../core/call.ts'
import { type CacheLimits, type Catalog, findGroup, type Known } from '../core/catalog.ts'
import type { Target } from '../core/plan.ts'
import { isFormBody } from '../wire/body-kinds.ts'
import type { Answers, Digest } from './answers.ts'
import { readControl } from './control.ts'
import { fingerprintOf } from './fingerprint.ts'
import { likenessOf } from './key.ts'
import { tenantOf } from './tenant.ts'

export interface Placing {
  readonly catalog: Catalog
  readonly known: Known
  readonly digest: Digest
  readonly answers: Pick<Answers, 'generationOf'>
}

/** Where the answer to a request is looked for and kept. */
export interface Place {
  readonly limits: CacheLimits
  readonly tenant: string
  /** The requested model, if the configuration has it. */
  readonly requested: string | undefined
  /** The id of an answer by a model that stands in. */
  standIn(target: Pick<Target, 'deployment' | 'limits'>): string | Promise<string>
}

/** Undefined if nothing of the model is kept; `bypass` if nothing of this request is. */
export async function placeOf(
  call: Call,
  { catalog, known, digest, answers }: Placing,
): Promise<Place | 'bypass' | undefined> {
  const { cache: ask, plan, target, body } = call
  if (!ask) return undefined
  const group = plan.requested === undefined ? undefined : findGroup(catalog, plan.requested, known)
  const limits = group ? group.limits.cache : target.limits.cache
  if (!limits) return undefined
  // An upload has no members, and no two are the same.
  if (ask.tenant.isOff || isFormBody(body) || readControl(ask.control).noStore) return 'bypass'
  const tenant = tenantOf(limits.scope, ask.tenant)
  const paysItself = plan.targets.some(({ deployment }) => deployment.provider.callersKey)
  const counted = answers.generationOf?.(tenant)
  const generation = counted instanceof Promise ? await counted : counted
  const about = {
    tenant: generation === undefined ? tenant : `${tenant} ${generation}`,
    bearer: paysItself ? call.bearer : undefined,
    asked: ask.asked,
  }
  const id = (model: string, fingerprint: string) => digest(likenessOf(call, { ...about, model, fingerprint }))
  return {
    limits,
    tenant,
    requested: group && plan.requested !== undefined ? await id(plan.requested, fingerprintOf(group)) : undefined,
    standIn({ deployment, limits }) {
      const alone = { name: deployment.label, deployments: [deployment], fallbacks: [], limits }
      return id(deployment.label, fingerprintOf(alone))
    },
  }
}
