import { isStream, type Layer } from '../core/call.ts'
import type { Clock } from '../core/clock.ts'
import type { ByteStream } from '../core/stream.ts'
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
        const onIdle = () => giveUp('sent nothing more', limits.idleTimeout)
        return { ...answer, body: watchIdle(answer.body, clock, limits.idleTimeout, onIdle) }
      } catch (error) {
        // A transport may word the abort in its own way: the reason is what counts.
        throw attempt.signal.aborted ? attempt.signal.reason : error
      } finally {
        cancel()
      }
    }

/** Looks in four times a period, so that a chunk costs one assignment and no timer. */
function watchIdle(stream: ByteStream, clock: Clock, ms: number, onIdle: () => void): ByteStream {
  let quietLooks = 0
  let paused = false
  let cancel = () => {}
  const look = () => {
    // A reader that isn't reading is no fault of the upstream.
    quietLooks = paused ? 0 : quietLooks + 1
    if (quietLooks > 4) onIdle()
    else cancel = clock.after(ms / 4, look)
  }
  return {
    pause() {
      paused = true
      stream.pause()
    },
    resume() {
      paused = false
      stream.resume()
    },
    cancel(reason) {
      cancel()
      stream.cancel(reason)
    },
    pipe(sink) {
      cancel()
      look()
      stream.pipe({
        chunk(bytes) {
          quietLooks = 0
          sink.chunk(bytes)
        },
        end() {
          cancel()
          sink.end()
        },
        fail(error) {
          cancel()
          sink.fail(error)
        },
      })
    },
  }
}
