import type { Layer } from '../core/call.ts'
import type { Target } from '../core/plan.ts'
import { asGatewayError, GatewayError, isMissing, reactions } from '../wire/errors.ts'

/** Tries the plan's targets in order until one answers. Rejects with the failure that is most useful to the client. */
export const fallback: Layer = (next) =>
  async function fallbackOf(call) {
    const { plan } = call
    const failures = plan.failure ? [plan.failure] : []
    let tooSmall = 0
    for (const target of plan.targets) {
      if (!isOpen(target, failures) || (target.contextWindow ?? Number.POSITIVE_INFINITY) <= tooSmall) continue
      try {
        return await next(target === call.target ? call : { ...call, target })
      } catch (thrown) {
        const failure = asGatewayError(thrown)
        failures.push(failure)
        if (isFinal(failure, call.plan.missing)) throw failure
        if (failure.kind === 'context_length') tooSmall = target.contextWindow ?? 0
      }
    }
    throw mostTelling(failures)
  }

/** The gateway-wide fallback replaces missing models only, not one that is down, and not after a bad request. */
function isOpen(target: Target, failures: readonly GatewayError[]): boolean {
  return target.why !== 'missing_model' || failures.some(({ kind }) => isMissing(kind))
}

function isFinal({ kind }: GatewayError, missing: { readonly [kind: string]: unknown }): boolean {
  return !reactions[kind].elsewhere || (isMissing(kind) && missing[kind] === 'error')
}

/** What the client can do about a failure, the most useful first: wait a known time, wait, or change its request. */
const useful: readonly ((failure: GatewayError) => boolean)[] = [
  ({ kind, retryAfterMs }) => reactions[kind].again && retryAfterMs !== undefined,
  ({ kind }) => reactions[kind].again || kind === 'timeout',
  ({ kind }) => kind === 'context_length' || kind === 'incapable',
  () => true,
]

/** The failure that the client can do most about; the first of several. */
function mostTelling(failures: readonly GatewayError[]): GatewayError {
  const first = useful.map((test) => failures.find(test)).find((failure) => failure !== undefined)
  return first ?? new GatewayError('no_live_provider', 'No deployment of the model can be asked.')
}
