import { type Answer, discard, whenOver } from '../core/answer.ts'
import type { Call, Layer, Upstream } from '../core/call.ts'
import { type Clock, sleep } from '../core/clock.ts'
import type { HealthBook } from '../core/health.ts'
import { alternative, type Target } from '../core/plan.ts'
import { Abort } from '../core/signal.ts'
import { asGatewayError, GatewayError, reactions } from '../wire/errors.ts'

interface HedgeOptions {
  readonly clock: Clock
  readonly health: Pick<HealthBook, 'admit' | 'of' | 'wait'>
  /** Attempts per request, on all its targets. */
  readonly maxAttempts: number
}

/** Second attempts per stream that is hedged, in the long run, and how many can be saved up. */
const share = 0.055
const mostSaved = 10

/** One of two attempts at the same request. */
interface Racer {
  readonly label: string
  readonly started: number
  readonly abort: Abort
  readonly answer: Promise<Answer>
}

/**
 * Sends a stream's request a second time if the first content is later than that of 95 % of the deployment's latest
 * streams, to another deployment if there is one. The first content wins, and the other attempt is stopped. Only time
 * makes a second attempt, never a failure, and a budget limits them to about a twentieth of the streams.
 */
export function hedge({ clock, health, maxAttempts }: HedgeOptions): Layer {
  let saved = mostSaved

  /** What an attempt that was stopped has waited counts too: else a deployment that often stalls would look fast. */
  function measured({ label, started }: Racer): void {
    health.of(label).lateness.add(clock.now() - started)
  }

  function begin(next: Upstream, call: Call): Racer {
    const abort = new Abort()
    const leave = () => abort.abort(call.signal.reason)
    if (call.signal.aborted) leave()
    call.signal.addEventListener('abort', leave)
    const free = () => call.signal.removeEventListener('abort', leave)
    const answer = next({ ...call, signal: abort }).then(
      (answered) => whenOver(answered, free),
      (error) => {
        free()
        throw error
      },
    )
    return { label: call.target.deployment.label, started: clock.now(), abort, answer }
  }

  /** The target for a second attempt: the next that is healthy, else the same again. */
  function second({ plan, target }: Call): Target {
    const other = alternative(plan, target, (label) => health.wait(label))
    const chosen = other && health.admit(other.deployment.label) ? other : target
    return { ...chosen, limits: { ...chosen.limits, retries: 0 } }
  }

  async function race(next: Upstream, call: Call, after: number): Promise<Answer> {
    const first = begin(next, call)
    const waiting = new Abort()
    const isLate = sleep(clock, after, waiting).then(
      () => true,
      () => false,
    )
    const answered = first.answer.then(
      () => false,
      () => false,
    )
    const late = await Promise.race([isLate, answered])
    waiting.abort(undefined)
    if (!late || saved < 1 || call.trace.attempts.length + 1 >= maxAttempts) return await settled(first)
    saved--
    const other = begin(next, { ...call, target: second(call) })
    return await winner(first, other)
  }

  async function settled(racer: Racer): Promise<Answer> {
    const answer = await racer.answer
    measured(racer)
    return answer
  }

  /** The first answer. A failure of one is final if no other attempt could help; else the other one decides. */
  function winner(first: Racer, other: Racer): Promise<Answer> {
    return new Promise((resolve, reject) => {
      let over = false
      let failed = false
      const run = (racer: Racer, rival: Racer) =>
        racer.answer.then(
          (answer) => {
            if (over) return
            over = true
            measured(racer)
            if (failed) return resolve(answer)
            stop(rival)
            // The trace then holds both attempts, and so do the headers.
            rival.answer.then(discard, () => {}).then(() => resolve(answer))
          },
          (error) => {
            if (over) return
            const isLast = failed || !reactions[asGatewayError(error).kind].elsewhere
            failed = true
            if (!isLast) return
            over = true
            stop(rival)
            reject(error)
          },
        )
      run(first, other)
      run(other, first)
    })
  }

  function stop(racer: Racer): void {
    measured(racer)
    racer.abort.abort(hedged())
  }

  return (next) =>
    function hedging(call) {
      const { hedge: wanted } = call.target.limits
      if (!wanted) return next(call)
      saved = Math.min(mostSaved, saved + share)
      const after = wanted.after ?? health.of(call.target.deployment.label).lateness.value
      return after === undefined ? settled(begin(next, call)) : race(next, call, after)
    }
}

function hedged(): GatewayError {
  return new GatewayError('gone', 'Another attempt at the same request was faster.', { reason: 'hedged' })
}
