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

/** A temporary failure is more useful to the client than a permanent one: it says when to retry. */
function mostTelling(failures: readonly GatewayError[]): GatewayError {
  const passing = failures.find(({ kind }) => reactions[kind].again || kind === 'timeout')
  return passing ?? failures[0] ?? new GatewayError('no_live_provider', 'No deployment of the model can be asked.')
}
