import type { Call, Layer } from '../core/call.ts'
import { type Clock, sleep } from '../core/clock.ts'
import type { HealthBook } from '../core/health.ts'
import { alternative } from '../core/plan.ts'
import { patience, type RetryBudget } from '../core/retry-budget.ts'
import { asGatewayError, type GatewayError } from '../wire/errors.ts'

/** Milliseconds: the limit of the first wait, and of the longest. */
const base = 500
const longest = 8_000

interface RetryOptions {
  readonly clock: Clock
  readonly random: () => number
  readonly health: Pick<HealthBook, 'wait'>
  readonly budget: Pick<RetryBudget, 'withdraw'>
  /** Attempts per request, on all its targets. */
  readonly maxAttempts: number
}

/**
 * Retries on the same deployment if the failure may be temporary. The waits have full jitter: between nothing and a
 * limit that doubles each time, so that the clients of an outage don't come back together.
 */
export const retry =
  (options: RetryOptions): Layer =>
  (next) =>
    async function retryOf(call) {
      for (let tries = 0; ; tries++) {
        try {
          return await next(call)
        } catch (thrown) {
          const failure = asGatewayError(thrown)
          const wait = waitFor(failure, tries, call, options)
          if (wait === undefined) throw failure
          await sleep(options.clock, wait, call.signal)
        }
      }
    }

/** Milliseconds to wait before another try; undefined if there is none. */
function waitFor(failure: GatewayError, tries: number, call: Call, options: RetryOptions): number | undefined {
  const { clock, random, health, budget, maxAttempts } = options
  const { target, plan, trace, deadline } = call
  const asked = failure.retryAfterMs ?? 0
  if (!failure.again || call.body.spent || tries >= target.limits.retries || asked > patience) return undefined
  // Its breaker has opened: another deployment is as good, and at once.
  const cooling = (label: string) => health.wait(label)
  if (cooling(target.deployment.label) > 0 && alternative(plan, target, cooling)) return undefined
  const wait = Math.max(random() * Math.min(base * 2 ** tries, longest), asked)
  if (trace.attempts.length >= maxAttempts || clock.now() + wait >= deadline) return undefined
  return budget.withdraw() ? wait : undefined
}
