import type { GatewayError } from '../../wire/errors.ts'

/** Reasons that only the gateway's own rules have. */
const reasons: ReadonlySet<string> = new Set([
  'budget_exceeded',
  'key_missing',
  'key_unknown',
  'key_disabled',
  'key_expired',
  'key_of_admin',
  'project_archived',
  'model_not_allowed',
  'model_unpriced',
  'unbounded_cost',
  'state_unavailable',
])

/** All of them. */
export const refusalKinds: readonly string[] = ['requests', 'tokens', 'parallel', ...reasons]

/** What the gateway refused a request for by its own rules; undefined: it didn't. */
export function refusalOf({ kind, type, limit, reason }: GatewayError): string | undefined {
  if (kind !== 'rate_limit') return reasons.has(reason) ? reason : undefined
  // An upstream has limits too.
  if (limit === undefined) return undefined
  return limit.endsWith('_parallel') ? 'parallel' : type
}
