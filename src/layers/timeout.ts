import { isStream, type Layer } from '../core/call.ts'
import type { Clock } from '../core/clock.ts'
import { watchSilence } from '../core/silence.ts'
import { GatewayError } from '../wire/errors.ts'

/**
 * Gives an attempt its time: `timeout` for a whole answer; for a stream `streamTimeout` until its first content and
 * then `idleTimeout` between chunks. A stream that goes on may take as long as it likes.
 */
export const timeout =
  ({ clock }: { clock: Clock }): Layer =>
  (next) =>
    async function timed(call) {
      const { limits, deployment } = call.rung
      const attempt = new AbortController()
      const leave = () => attempt.abort(call.signal.reason)
      if (call.signal.aborted) leave()
      call.signal.addEventListener('abort', leave, { once: true })
      const giveUp = (what: string, ms: number) =>
        attempt.abort(new GatewayError('timeout', `${deployment.label} ${what} within ${ms / 1000} seconds.`))
      const ms = call.body.stream ? Math.min(limits.timeout, limits.streamTimeout) : limits.timeout
      const cancel = clock.after(ms, () => giveUp('did not answer', ms))
      try {
        const answer = await next({ ...call, signal: attempt.signal })
        if (!isStream(answer.body)) return answer
        const onSilence = () => giveUp('sent nothing more', limits.idleTimeout)
        return { ...answer, body: watchSilence(answer.body, { clock, ms: limits.idleTimeout, looks: 4, onSilence }) }
      } catch (error) {
        // A transport may word the abort in its own way: the reason is what counts.
        throw attempt.signal.aborted ? attempt.signal.reason : error
      } finally {
        cancel()
      }
    }
