import { GatewayError, isMissing, type MissingKind, shorten, unknownModel } from '../wire/errors.ts'
import { paramOfCapability } from './operation.ts'
import { isExcluded, isObstacle, type Query, type Skipped, type Target } from './plan.ts'

/** What a client is told when there is no model of the name that it asks for, or no name. */
export function missingModel({ model }: Query, kind: MissingKind): GatewayError {
  if (model === undefined) return new GatewayError('absent', 'you must provide a model parameter')
  return unknownModel(model, kind)
}

/** The same whether there is such a model or not: who may not use it learns nothing of it. */
export function refusedModel(model: string): GatewayError {
  const { message } = unknownModel(model)
  return new GatewayError('forbidden', message, { code: 'model_not_found', model, reason: 'model_not_allowed' })
}

/** What has gone wrong before a plan's first target. */
interface Mishaps {
  readonly skipped: readonly Skipped[]
  /** Why there is no model of the requested name. */
  readonly missing: GatewayError | undefined
}

/** Why the requested model itself is not the first target. */
export function failureOf(query: Query, first: Target | undefined, mishaps: Mishaps): GatewayError | undefined {
  const { missing } = mishaps
  if (first) return missing ?? (first.why === 'requested' ? undefined : skippedFailure(query, mishaps))
  // If the fallback can't serve the request either, report the fallback's obstacle: the client can act on that one.
  return skippedFailure(query, mishaps) ?? missing
}

/** What the skipped deployments explain. */
function skippedFailure(query: Query, { skipped, missing }: Mishaps): GatewayError | undefined {
  const { model = '' } = query
  const excluded = skipped.find(isExcluded)
  if (excluded && !missing) {
    const message = `No deployment of \`${shorten(model)}\` fits 'provider': ${excluded.name}: ${excluded.why}.`
    const code = 'no_allowed_provider'
    return new GatewayError('bad_request', message, { status: 404, code, param: 'provider', reason: code })
  }
  const first = skipped.find(isObstacle)
  if (!first) return undefined
  if (isMissing(first.kind)) return missing ?? missingModel(query, first.kind)
  const param = first.lacks === undefined ? {} : { param: paramOfCapability[first.lacks] }
  return new GatewayError(first.kind, `${shorten(model)}: ${first.why}`, param)
}
