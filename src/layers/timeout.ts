import { isStream, withStep } from '../core/answer.ts'
import type { Call, Layer } from '../core/call.ts'
import type { Clock } from '../core/clock.ts'
import { Abort } from '../core/signal.ts'
import type { Step } from '../core/stream.ts'
import { GatewayError } from '../wire/errors.ts'
import { headerValue } from '../wire/headers.ts'
import { SignsOfLife } from '../wire/sse.ts'

export interface TimeoutOptions {
  readonly clock: Clock
  readonly log: (message: string) => void
}

/** Milliseconds between log lines that say which deployment is still being waited for, such as during a cold load. */
const slow = 10_000

/**
 * Limits the time of an attempt: `timeout` for a whole answer; for a stream `streamTimeout` (or `timeout`, if shorter)
 * until its first content, then `idleTimeout` between two events with data. A stream as a whole has no limit.
 */
export const timeout =
  (options: TimeoutOptions): Layer =>
  (next) =>
    async function timed(call) {
      const { limits, deployment } = call.target
      const attempt = new Abort()
      const leave = () => attempt.abort(call.signal.reason)
      if (call.signal.aborted) leave()
      call.signal.addEventListener('abort', leave)
      const giveUp = (what: string, ms: number) =>
        attempt.abort(new GatewayError('timeout', `${deployment.label} ${what} within ${ms / 1000} seconds.`))
      const ms = call.streams ? Math.min(limits.timeout, limits.streamTimeout) : limits.timeout
      const wait = new Wait(call, ms, options, () => giveUp('did not answer', ms))
      try {
        const answer = await next({ ...call, signal: attempt })
        if (!isStream(answer.body)) {
          call.signal.removeEventListener('abort', leave)
          return answer
        }
        const { idleTimeout, streams } = limits
        return withStep(
          answer,
          idle(idleTimeout, streams === 'untouched', () => giveUp('sent nothing more', idleTimeout)),
        )
      } catch (error) {
        call.signal.removeEventListener('abort', leave)
        // A transport may throw its own error on abort; the signal's reason is the right one.
        throw attempt.aborted ? attempt.reason : error
      } finally {
        wait.cancel()
      }
    }

/** Ends a stream that sends no data for `ms`; comments and blank lines don't count as data. */
function idle(ms: number, untouched: boolean, giveUp: () => void): Step {
  const signs = new SignsOfLife()
  let heard = false
  return {
    watch: {
      see(bytes) {
        if (signs.heardIn(bytes)) heard = true
      },
    },
    silence: {
      ms,
      looks: 4,
      heard() {
        const said = heard
        heard = false
        return said
      },
      onSilence() {
        giveUp()
        return undefined
      },
    },
    carried: untouched ? 'skip' : 'watch',
  }
}

/** Times an attempt and logs long waits. It runs one timer at a time, because most requests need only one. */
class Wait {
  readonly #call: Call
  readonly #options: TimeoutOptions
  readonly #over: () => void
  #left: number
  #waited = 0
  #cancel = () => {}

  constructor(call: Call, ms: number, options: TimeoutOptions, over: () => void) {
    this.#call = call
    this.#left = ms
    this.#options = options
    this.#over = over
    this.#step()
  }

  cancel(): void {
    this.#cancel()
  }

  #step(): void {
    const ms = Math.min(this.#left, slow)
    this.#cancel = this.#options.clock.after(ms, () => this.#waitedFor(ms))
  }

  #waitedFor(ms: number): void {
    this.#left -= ms
    this.#waited += ms
    if (this.#left <= 0) {
      this.#over()
      return
    }
    const { requestId, target } = this.#call
    const seconds = Math.round(this.#waited / 1000)
    this.#options.log(`${requestId} ${headerValue(target.deployment.label)}: nothing yet after ${seconds} s`)
    this.#step()
  }
}
