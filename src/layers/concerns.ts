import { askedFields } from '../core/asked.ts'
import type { Call } from '../core/call.ts'
import { droppableOf, type Feature, mayDrop } from '../core/features.ts'
import type { Operation } from '../core/operation.ts'
import type { Requirement } from '../core/structure.ts'
import type { RequestBody } from '../wire/body.ts'

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
export function isShareable(call: Call): boolean {
  const { sharing } = call.operation
  return sharing !== undefined && (sharing.concerns?.(askedFields(call)) ?? true)
}

/** Whether the answer may lack what the upstream was asked for, and was not made to give. */
export function isToBeChecked(call: Call): boolean {
  return asksForStructure(call.operation, call.body, lacksOf(call)) || requirementOf(call) !== undefined
}

/** Whether a request wants a structure that an upstream lacks. Few do, and the others are to cost nothing. */
export function asksForStructure(
  { structure, features = {} }: Operation,
  { outline }: RequestBody,
  lacks: readonly Feature[],
): boolean {
  if (!structure) return false
  return lacks.some((feature) => feature.startsWith('json_') && features[feature]?.find(outline) !== undefined)
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
