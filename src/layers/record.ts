import type { Layer } from '../core/call.ts'
import type { Clock } from '../core/clock.ts'
import type { KnownShortcomings } from '../core/shortcomings.ts'
import { asGatewayError } from '../wire/errors.ts'
import { headerValue } from '../wire/headers.ts'

interface Recording {
  readonly clock: Clock
  readonly log: (message: string) => void
  readonly shortcomings?: Pick<KnownShortcomings, 'add'>
}

/**
 * Records every attempt in the call's trace: the deployment, the outcome, the duration. What a deployment says it can't
 * do is remembered if the request needs it: other words for that may be about something else.
 */
export const record =
  ({ clock, log, shortcomings }: Recording): Layer =>
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
        const { lacks } = failure
        if (lacks && call.operation.query(call.body).needs.has(lacks)) shortcomings?.add(deployment, lacks)
        if (failure.kind !== 'gone')
          log(`${call.requestId} ${headerValue(deployment)}: ${failure.reason} after ${ms} ms`)
        throw failure
      }
    }
