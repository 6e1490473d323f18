import type { Call } from '../core/call.ts'
import { droppableOf, type Feature, mayDrop } from '../core/features.ts'
import type { Requirement } from '../core/structure.ts'

/** Whether a second attempt may be made at a stream that is late. An upload that isn't kept can't be sent twice. */
export function isHedged({ target, streams, body }: Call): boolean {
  return target.limits.hedge !== undefined && streams && body.isWhole
}

/** Whether a request has terms that an upstream may not know. */
export function isRenewable({ operation, body }: Call): boolean {
  return operation.renewals?.some((renewal) => renewal.concerns(body)) ?? false
}

/** Whether a stream that breaks off is to be continued. */
export function isResumed({ operation, target, streams }: Call): boolean {
  return streams && target.limits.resume && operation.continuing !== undefined
}

/** Whether a request may have to be shared out. */
export function isShareable({ operation: { sharing }, body }: Call): boolean {
  return sharing !== undefined && (sharing.concerns?.(body) ?? true)
}

/** Whether the answer may lack what the upstream was asked for, and was not made to give. */
export function isToBeChecked(call: Call): boolean {
  const mayLackStructure = call.operation.structure && lacksOf(call).some((feature) => feature.startsWith('json_'))
  return mayLackStructure || requirementOf(call) !== undefined
}

/** The features that the deployment's provider declares to lack. */
export function lacksOf({ operation, target }: Call): readonly Feature[] {
  return target.deployment.provider.operations[operation.name]?.lacks ?? []
}

/**
 * What the answer must have by the request. A stream passes: what it lacks shows only at its end, and to wait for that
 * would make all such streams late.
 */
export function requirementOf({ operation, target, streams, body }: Call): Requirement | undefined {
  const required = streams ? undefined : operation.requirement?.(body.outline, target.deployment.overrides)
  return required && !mayDrop([required.param], droppableOf(target)) ? required : undefined
}
