import { closeSteps, isStream, type StreamBody } from '../core/answer.ts'
import type { Call, Upstream } from '../core/call.ts'
import type { Clock } from '../core/clock.ts'
import { Abort } from '../core/signal.ts'
import { asGatewayError, GatewayError } from '../wire/errors.ts'
import { headerValue } from '../wire/headers.ts'

interface Shadowing {
  readonly clock: Clock
  readonly log: (message: string) => void
}

/** Bytes: larger requests are not copied, and longer streams not read to their end. */
const mostShadowed = 1_000_000
const mostRead = 4_000_000
/** Copies in progress. */
const most = 20
/** Milliseconds for a whole copy. */
const longest = 120_000

/**
 * Sends copies of requests to other models, and drops the answers. For what they may take of the process there are
 * limits: beyond them there is no copy, which the client never notices.
 */
export class Shadows {
  readonly #upstream: Upstream
  readonly #needed: Shadowing
  #inFlight = 0

  /** `upstream` tries one target, once. */
  constructor(upstream: Upstream, needed: Shadowing) {
    this.#upstream = upstream
    this.#needed = needed
  }

  /** Resolves when the copy is over; never rejects. */
  async send(call: Call): Promise<void> {
    if (this.#inFlight >= most || call.body.bytes.length > mostShadowed) return
    const { clock, log } = this.#needed
    const label = headerValue(call.target.deployment.label)
    const started = clock.now()
    const stop = new Abort()
    const cancel = clock.after(longest, () => stop.abort(new GatewayError('timeout', 'The copy took too long.')))
    this.#inFlight++
    let outcome = 'ok'
    try {
      const { body } = await this.#upstream({ ...call, signal: stop, trace: { attempts: [] } })
      if (isStream(body)) outcome = await drained(body)
    } catch (thrown) {
      outcome = asGatewayError(thrown).reason
    } finally {
      cancel()
      this.#inFlight--
      log(`${call.requestId} shadow ${label}: ${outcome} after ${Math.round(clock.now() - started)} ms`)
    }
  }
}

/** Reads a stream to its end, as fast as it comes. Rejects if it breaks. */
function drained({ source, steps }: StreamBody): Promise<string> {
  let size = 0
  return new Promise<string>((resolve, reject) => {
    source.pipe({
      chunk(bytes) {
        size += bytes.length
        if (size <= mostRead) return
        source.cancel('The copy is too long.')
        resolve('too_long')
      },
      end: () => resolve('ok'),
      fail: reject,
    })
  }).finally(() => closeSteps(steps))
}
