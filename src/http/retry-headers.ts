import { patience } from '../core/retry-budget.ts'
import type { Trace } from '../core/trace.ts'
import { type FailureKind, type GatewayError, reactions } from '../wire/errors.ts'

/** Failures that no waiting cures. */
const hopeless: ReadonlySet<FailureKind> = new Set(['quota', 'context_length', 'loop', 'auth', 'incapable'] as const)

/** What passes by itself, sometimes. A timeout does too, although the gateway doesn't wait for it twice. */
function mayPass(kind: FailureKind): boolean {
  return reactions[kind].again || kind === 'timeout'
}

/**
 * Tells SDKs when to retry, or not to retry at all: once the gateway has tried, more tries are its own to make. Two
 * cases are left to the client if nothing was tried twice: it asked for no `retries`, or the provider for a long wait.
 */
export function retryHeaders(failure: GatewayError, { attempts }: Trace, retries?: number): Record<string, string> {
  const headers: Record<string, string> = { ...failure.headers }
  const wait = failure.retryAfterMs ?? (failure.kind === 'rate_limit' ? 1000 : undefined)
  if (wait !== undefined) {
    headers['retry-after'] = String(Math.max(1, Math.ceil(wait / 1000)))
    headers['retry-after-ms'] = String(Math.max(1, Math.round(wait)))
  }
  const tried = attempts.filter(({ failure: kind }) => kind !== undefined && mayPass(kind)).length
  const isHopeless = hopeless.has(failure.kind) || (reactions[failure.kind].again && !failure.again)
  const clientsTurn = retries === 0 || (failure.retryAfterMs ?? 0) > patience
  const isEnough = mayPass(failure.kind) && tried > (clientsTurn ? 1 : 0)
  if (isHopeless || isEnough) headers['x-should-retry'] = 'false'
  return headers
}
