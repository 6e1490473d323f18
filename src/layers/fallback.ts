import type { Layer } from '../core/call.ts'
import type { Clock } from '../core/clock.ts'
import type { HealthBook } from '../core/health.ts'
import type { Plan, Target } from '../core/plan.ts'
import { asGatewayError, GatewayError, isMissing, reactions } from '../wire/errors.ts'

interface FallbackOptions {
  readonly clock: Clock
  readonly health: Pick<HealthBook, 'admit' | 'force' | 'wait'>
  /** What happens if nothing but deployments in cooldown is left: the one that is due first is tried, or none. */
  readonly onExhausted: 'least_bad' | 'reject'
  /** Attempts per request, on all its targets. */
  readonly maxAttempts: number
}

/**
 * Tries the plan's targets in order until one answers, and leaves out those in cooldown. Rejects with the failure that
 * is most useful to the client.
 */
export const fallback = ({ clock, health, onExhausted, maxAttempts }: FallbackOptions): Layer => {
  /** Of the targets in cooldown, the one that is due first. */
  function leastBad(cooling: readonly Target[]): Target | undefined {
    const waits = cooling.map(({ deployment }) => health.wait(deployment.label))
    return cooling[waits.indexOf(Math.min(...waits))]
  }

  return (next) =>
    async function fallbackOf(call) {
      const { plan, trace, deadline } = call
      const failures = plan.failure ? [plan.failure] : []
      const attempt = (target: Target) => next(target === call.target ? call : { ...call, target })
      const cooling: Target[] = []
      let tooSmall = 0
      const fits = (target: Target) =>
        isOpen(target, plan, failures) && (target.contextWindow ?? Number.POSITIVE_INFINITY) > tooSmall
      const isSpent = () => trace.attempts.length >= maxAttempts || clock.now() >= deadline
      let { targets } = plan
      for (let at = 0; at < targets.length; at++) {
        const target = targets[at] as Target
        if (!fits(target)) continue
        if (failures.length > 0 && isSpent()) break
        if (!health.admit(target.deployment.label)) {
          cooling.push(target)
          continue
        }
        try {
          return await attempt(target)
        } catch (thrown) {
          const failure = asGatewayError(thrown)
          failures.push(failure)
          if (isFinal(failure, plan) || call.body.spent) throw failure
          if (failure.kind !== 'context_length') continue
          tooSmall = target.contextWindow ?? 0
          targets = largerFirst(targets, at + 1)
        }
      }
      // What has failed meanwhile may have closed the way to some of them.
      const last = isSpent() ? undefined : leastBad(cooling.filter(fits))
      if (last && onExhausted === 'reject') failures.push(inCooldown(health.wait(last.deployment.label)))
      else if (last) {
        health.force(last.deployment.label)
        try {
          return await attempt(last)
        } catch (thrown) {
          failures.push(asGatewayError(thrown))
        }
      }
      throw mostTelling(failures)
    }
}

/**
 * A plan in which those for long requests come first from `rest` on: that is what they are for. Only what the request
 * names outranks them.
 */
function largerFirst(targets: readonly Target[], rest: number): readonly Target[] {
  const left = targets.slice(rest)
  const larger = left.filter(({ why }) => why === 'context_length')
  if (larger.length === 0) return targets
  const named = left.filter(({ why }) => why === 'named')
  const others = left.filter((target) => !larger.includes(target) && !named.includes(target))
  return [...targets.slice(0, rest), ...named, ...larger, ...others]
}

/**
 * The gateway-wide fallback replaces missing models only, not one that is down, and not after a bad request. Fallbacks
 * for one kind of failure are tried after that kind only.
 */
function isOpen({ why }: Target, plan: Plan, failures: readonly GatewayError[]): boolean {
  // The request says itself to which model it is put.
  if (why === 'named') return true
  if (why === 'missing_model') return failures.some(({ kind }) => isMissing(kind) && plan.missing[kind] !== 'error')
  if (why === 'content_policy') return failures.at(-1)?.kind === why
  // A refusal isn't put to another model unless the configuration says to which.
  if (failures.some(({ kind }) => kind === 'content_policy')) return false
  if (why !== 'context_length') return true
  return failures.some(({ kind }) => kind === why) || plan.skipped.some(({ kind }) => kind === why)
}

function isFinal({ kind }: GatewayError, { missing, targets }: Plan): boolean {
  if (kind === 'content_policy') return !targets.some(({ why }) => why === kind || why === 'named')
  if (!reactions[kind].elsewhere) return true
  return isMissing(kind) && missing[kind] === 'error' && !targets.some(({ why }) => why === 'named')
}

function inCooldown(wait: number): GatewayError {
  return new GatewayError('overloaded', 'All deployments of the model are in cooldown after failures.', {
    retryAfterMs: wait,
    // To try none of them was the gateway's own decision, which clients at once would undo.
    headers: { 'x-should-retry': 'false' },
  })
}

/** What the client can do about a failure, the most useful first: wait a known time, wait, or change its request. */
const useful: readonly ((failure: GatewayError) => boolean)[] = [
  ({ kind }) => kind === 'content_policy',
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
