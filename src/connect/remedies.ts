import type { Call } from '../core/call.ts'
import type { OperationSpec, Remedy } from '../core/provider.ts'
import type { GatewayError } from '../wire/errors.ts'
import type { JsonObject } from '../wire/json.ts'
import { generalRemedy } from './heal.ts'
import { mayDropFrom } from './lacks.ts'

/**
 * Remedies for a request: upstreams name one parameter at a time, and some would never accept the request. Hints don't
 * count: their clients send many, and each of them may be refused.
 */
export function mostRemedies({ body: { outline }, optional = [] }: Call): number {
  return 4 + optional.filter((name) => name in outline).length
}

/** How to send requests to a deployment, given what its error responses have taught. */
export interface Learnt {
  readonly remedy: Remedy
  readonly spec?: OperationSpec
}

/** Adds to `known` what an error teaches about requests like the one that was `sent`; undefined if nothing new. */
export function improve(
  known: Learnt,
  error: GatewayError,
  spec: OperationSpec,
  call: Call,
  sent: () => JsonObject,
): Learnt | undefined {
  const { operation, target } = call
  const { known: about, provider } = target.deployment
  const { definition, settings } = provider
  if (error.kind === 'wrong_endpoint' && spec.otherwise && !known.spec) return { ...known, spec: spec.otherwise }
  // Where nothing is repaired, nothing is left to the repair.
  const own = definition.keepsFormat?.(settings) ? undefined : operation.heal?.(error, sent, about.supports ?? {})
  const may = { mayDrop: (field: string) => mayDropFrom(call, field), inChatsNames: !operation.inOwnNames }
  return (
    extended(known, definition.heal?.(error)) ??
    extended(known, own) ??
    extended(known, generalRemedy(error, known.remedy, sent, may))
  )
}

function extended(known: Learnt, more: Remedy | undefined): Learnt | undefined {
  if (!more) return undefined
  const { remedy } = known
  const instructions = more.instructions ?? remedy.instructions
  const efforts = more.efforts ?? remedy.efforts
  const thoughts = united(remedy.thoughts, more.thoughts)
  const better: Remedy = {
    drop: united(remedy.drop, more.drop),
    spare: united(remedy.spare, more.spare),
    refused: united(remedy.refused, more.refused),
    rename: { ...remedy.rename, ...more.rename },
    ...(instructions && { instructions }),
    ...(efforts && { efforts }),
    ...(thoughts.length > 0 && { thoughts }),
  }
  return JSON.stringify(better) === JSON.stringify(remedy) ? undefined : { ...known, remedy: better }
}

function united(some: readonly string[] = [], more: readonly string[] = []): readonly string[] {
  return [...new Set([...some, ...more])]
}
