import { isStream, withStep } from '../core/answer.ts'
import { askedFields } from '../core/asked.ts'
import type { Call, Layer } from '../core/call.ts'
import type { Clock } from '../core/clock.ts'
import { Abort } from '../core/signal.ts'
import type { Step } from '../core/stream.ts'
import { GatewayError } from '../wire/errors.ts'
import { headerValue } from '../wire/headers.ts'
import type { JsonObject } from '../wire/json.ts'
import { SignsOfLife } from '../wire/signs-of-life.ts'

export interface TimeoutOptions {
  readonly clock: Clock
  readonly log: (message: string) => void
}

/** Milliseconds between log lines that say which deployment is still being waited for, such as during a cold load. */
const slow = 10_000

/**
 * Limits the time of an attempt: `timeout` for a whole answer; for a stream `streamTimeout` (or `timeout`, if shorter)
 * until its first content, then `idleTimeout` between two events that say something. A stream as a whole has no limit.
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
          idle(idleTimeout, streams === 'untouched', emptyEventOf(call), () =>
            giveUp('sent nothing more', idleTimeout),
          ),
        )
      } catch (error) {
        call.signal.removeEventListener('abort', leave)
        // A transport may throw its own error on abort; the signal's reason is the right one.
        throw attempt.aborted ? attempt.reason : error
      } finally {
        wait.cancel()
      }
    }

/** Bytes: longer data has content. */
const longestEmpty = 4096
const decoder = new TextDecoder()

/** Tells an event with neither content nor a finish nor usage, such as one of the empty deltas that servers send to wait. */
function emptyEventOf(call: Call): IsEmpty {
  const { operation } = call
  let asked: JsonObject | undefined
  return (data) => {
    if (data.length > longestEmpty) return false
    asked ??= askedFields(call)
    const reader = operation.reader?.(asked)
    return reader?.see({ data: decoder.decode(data) }) === 'nothing' && !reader.usage
  }
}

type IsEmpty = (data: Uint8Array) => boolean

/** Ends a stream that says nothing for `ms`; comments, blank lines and empty events don't count. */
function idle(ms: number, untouched: boolean, isEmpty: IsEmpty, giveUp: () => void): Step {
  const signs = new SignsOfLife(isEmpty)
  // Nothing of a stream is sent before its first content.
  let heard = true
  return {
    watch: {
      see(bytes) {
        // Events are read up to the first that says something after each look, which are some in a minute.
        if (heard) signs.skip(bytes)
        else heard = signs.heardIn(bytes)
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
