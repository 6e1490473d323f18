import type { OperationSpec, Provider, Remedy } from '../core/provider.ts'
import type { GatewayError } from '../wire/errors.ts'

/** Remedies per request: upstreams name one parameter at a time, and some would never accept the request. */
export const mostRemedies = 4

/** How to send requests to a deployment, given what its error responses have taught. */
export interface Learnt {
  readonly remedy: Remedy
  readonly spec?: OperationSpec
}

/** Adds to `known` what an error teaches; undefined if that is nothing new. */
export function improve(
  known: Learnt,
  error: GatewayError,
  spec: OperationSpec,
  provider: Provider,
): Learnt | undefined {
  if (error.kind === 'wrong_endpoint' && spec.otherwise && !known.spec) return { ...known, spec: spec.otherwise }
  const remedy = provider.definition.heal?.(error)
  if (!remedy) return undefined
  const drop = [...new Set([...(known.remedy.drop ?? []), ...(remedy.drop ?? [])])]
  const rename = { ...known.remedy.rename, ...remedy.rename }
  const better = { ...known, remedy: { drop, rename } }
  return JSON.stringify(better.remedy) === JSON.stringify(known.remedy) ? undefined : better
}
