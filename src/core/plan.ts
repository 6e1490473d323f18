import type { FailureKind, GatewayError } from '../wire/errors.ts'
import type { Catalog, Deployment, Known, Limits, Shadow } from './catalog.ts'
import type { Health } from './health.ts'
import type { Capability, Demand } from './operation.ts'
import type { Exclusion, Preferences } from './preferences.ts'
import type { Shortcomings } from './shortcomings.ts'

/** What routing must know about a request. */
export interface Query extends Demand {
  readonly model: string | undefined
  /** The operation's name. */
  readonly operation: string
  /** The operation that can stand in for it, by its name. */
  readonly over?: string | undefined
  /** The operation's route, by which clients know it. */
  readonly path: string
  readonly preferences?: Preferences | undefined
  /** Whether the client may ask for the model of a name. Absent: it may ask for all. */
  readonly allows?: ((model: string) => boolean) | undefined
}

/** What a plan depends on beside the request and the configuration. */
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

/** One step of a plan. */
export interface Target {
  readonly deployment: Deployment
  readonly limits: Limits
  /** `named`: by the request. Those with the name of a failure are tried after such a failure only. */
  readonly why: 'requested' | 'named' | 'fallback' | 'context_length' | 'content_policy' | 'missing_model'
  /** In tokens; undefined if unknown. */
  readonly contextWindow: number | undefined
  /** In tokens: the most that an answer may have; absent if unknown. */
  readonly maxOutput?: number | undefined
}

const exclusions = ['excluded', 'over_price', 'unsupported'] as const satisfies readonly Exclusion[]
const charges = ['not_allowed', 'unpriced'] as const
export const passedOver = [
  ...(['cooldown', 'over_rpm', 'over_tpm', 'duplicate', 'not_drawn'] as const),
  ...exclusions,
  ...charges,
] as const
/**
 * Why a deployment that could serve the request is passed over: it is left alone after failures, has used up its
 * requests or tokens of this minute, is in the plan already, or the request excludes it. `not_drawn`: a request has
 * fewer attempts. `not_allowed`: the client's key is not for this model; `unpriced`: it has a budget, and nobody knows the
 * price.
 */
export type PassedOver = (typeof passedOver)[number]

export interface Skipped {
  /** Of the deployment; with `not_drawn` and `not_allowed`, of the model. */
  readonly name: string
  /** A failure: it can't serve the request. */
  readonly kind: FailureKind | PassedOver
  readonly why: string
  /** With `incapable`: what it lacks. */
  readonly lacks?: Capability
}

/** Whether a deployment was skipped because it can't serve the request. */
export function isObstacle(skipped: Skipped): skipped is Skipped & { readonly kind: FailureKind } {
  return !passedOver.some((kind) => kind === skipped.kind)
}

/** Whether a deployment was skipped because it doesn't fit the request's preferences. */
export function isExcluded({ kind }: Skipped): boolean {
  return exclusions.some((exclusion) => exclusion === kind)
}

/** The next target that stands in for any that is down, and isn't in cooldown. `wait` tells its rest, in milliseconds. */
export function alternative({ targets }: Plan, target: Target, wait: (label: string) => number): Target | undefined {
  const later = targets.slice(targets.indexOf(target) + 1)
  return later.find(
    ({ deployment, why }) =>
      (why === 'requested' || why === 'named' || why === 'fallback') && wait(deployment.label) === 0,
  )
}

/**
 * What will be tried, in order, and what was passed over and why. Deployments in cooldown and those over their rate are
 * both: they are tried after all others. Plain data, so that it can be printed.
 */
export interface Plan {
  readonly requested: string | undefined
  readonly targets: readonly Target[]
  readonly skipped: readonly Skipped[]
  /** Why the requested model itself is not the first target. */
  readonly failure: GatewayError | undefined
  readonly missing: Catalog['missing']
  /** Where a copy of the request may go. */
  readonly shadow?: Shadow | undefined
}
