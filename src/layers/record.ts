import type { Layer } from '../core/call.ts'
import type { Clock } from '../core/clock.ts'
import { asGatewayError } from '../wire/errors.ts'
import { headerValue } from '../wire/headers.ts'

/** Records every attempt in the call's trace: the deployment, the outcome, the duration. */
export const record =
  ({ clock, log }: { clock: Clock; log: (message: string) => void }): Layer =>
  (next) =>
    async function recorded(call) {
      const started = clock.now()
      const deployment = call.target.deployment.label
      try {
        const answer = await next(call)
        call.trace.attempts.push({ deployment, ms: Math.round(clock.now() - started) })
        return answer
      } catch (thrown) {
        const failure = asGatewayError(thrown)
        const ms = Math.round(clock.now() - started)
        call.trace.attempts.push({ deployment, ms, failure: failure.kind, reason: failure.reason })
        if (failure.kind !== 'gone')
          log(`${call.requestId} ${headerValue(deployment)}: ${failure.reason} after ${ms} ms`)
        throw failure
      }
    }
