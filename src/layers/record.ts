import type { Layer } from '../core/call.ts'
import type { Clock } from '../core/clock.ts'
import { asGatewayError } from '../wire/errors.ts'

/** Notes every attempt in the call's trace: who was asked, what came of it, how long it took. */
export const record =
  ({ clock }: { clock: Clock }): Layer =>
  (next) =>
    async function recorded(call) {
      const started = clock.now()
      const note = (failure?: { failure: ReturnType<typeof asGatewayError>['kind']; reason: string }) => {
        const ms = Math.round(clock.now() - started)
        call.trace.attempts.push({ deployment: call.rung.deployment.label, ms, ...failure })
      }
      try {
        const answer = await next(call)
        note()
        return answer
      } catch (thrown) {
        const failure = asGatewayError(thrown)
        note({ failure: failure.kind, reason: failure.reason })
        throw failure
      }
    }
