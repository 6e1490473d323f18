import type { FailureKind, GatewayError } from '../wire/errors.ts'
import type { Catalog, Deployment, Limits } from './catalog.ts'
import type { Demand } from './operation.ts'

/** What routing must know about a request. */
export interface Query extends Demand {
  readonly model: string | undefined
  /** The operation's name. */
  readonly operation: string
}

/** One step of a plan. */
export interface Target {
  readonly deployment: Deployment
  readonly limits: Limits
  /** Those with the name of a failure are tried after such a failure only. */
  readonly why: 'requested' | 'fallback' | 'context_length' | 'content_policy' | 'missing_model'
  /** In tokens; undefined if unknown. */
  readonly contextWindow: number | undefined
}

export interface Skipped {
  readonly name: string
  readonly kind: FailureKind
  readonly why: string
}

/** The next target that stands in for any that is down, and isn't in cooldown. `wait` tells its rest, in milliseconds. */
export function alternative({ targets }: Plan, target: Target, wait: (label: string) => number): Target | undefined {
  const later = targets.slice(targets.indexOf(target) + 1)
  return later.find(
    ({ deployment, why }) => (why === 'requested' || why === 'fallback') && wait(deployment.label) === 0,
  )
}

/** What will be tried, in order, and what will not be and why. Plain data, so that it can be printed. */
export interface Plan {
  readonly requested: string | undefined
  readonly targets: readonly Target[]
  readonly skipped: readonly Skipped[]
  /** Why the requested model itself is not the first target. */
  readonly failure: GatewayError | undefined
  readonly missing: Catalog['missing']
}
