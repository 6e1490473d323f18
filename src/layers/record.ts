import type { Layer } from '../core/call.ts'
import type { Clock } from '../core/clock.ts'
import { asGatewayError } from '../wire/errors.ts'
import { headerValue } from '../wire/headers.ts'

/** Milliseconds of waiting after which the log says for whom: a cold load is long work, and nobody sees it. */
const slow = 10_000

/** Notes every attempt in the call's trace: who was asked, what came of it, how long it took. */
export const record =
  ({ clock, log }: { clock: Clock; log: (message: string) => void }): Layer =>
  (next) =>
    async function recorded(call) {
      const started = clock.now()
      const deployment = call.rung.deployment.label
      const elapsed = () => Math.round(clock.now() - started)
      let cancel = () => {}
      const wait = () => {
        cancel = clock.after(slow, () => {
          log(`${call.requestId} ${headerValue(deployment)}: nothing yet after ${Math.round(elapsed() / 1000)} s`)
          wait()
        })
      }
      wait()
      try {
        const answer = await next(call)
        call.trace.attempts.push({ deployment, ms: elapsed() })
        return answer
      } catch (thrown) {
        const failure = asGatewayError(thrown)
        call.trace.attempts.push({ deployment, ms: elapsed(), failure: failure.kind, reason: failure.reason })
        if (failure.kind !== 'gone')
          log(`${call.requestId} ${headerValue(deployment)}: ${failure.reason} after ${elapsed()} ms`)
        throw failure
      } finally {
        cancel()
      }
    }
