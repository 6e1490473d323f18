import type { Held } from '../core/account.ts'
import { type Answer, isStream, whenOver } from '../core/answer.ts'
import type { Breaker } from '../core/breaker.ts'
import type { Call, Layer } from '../core/call.ts'
import type { Clock } from '../core/clock.ts'
import type { Health, HealthBook } from '../core/health.ts'
import type { Log } from '../core/log.ts'
import type { MinuteUse } from '../core/minute-use.ts'
import type { KnownShortcomings } from '../core/shortcomings.ts'
import type { AttemptRecord, Trace } from '../core/trace.ts'
import { asGatewayError, type GatewayError, reactions } from '../wire/errors.ts'
import { headerValue } from '../wire/headers.ts'
import { isObject, type JsonObject, tryParse } from '../wire/json.ts'

interface Recording {
  readonly clock: Clock
  readonly log: Log
  readonly health: Pick<HealthBook, 'of'>
  readonly shortcomings?: Pick<KnownShortcomings, 'add'>
}

/**
 * Records every attempt in the call's trace: the deployment, the outcome, the duration. Its outcome counts for the
 * health of the deployment; that of a stream is known only at its end. What a deployment says it can't do is remembered
 * if the request needs it: other words for that may be about something else.
 */
export const record =
  ({ clock, log, health: book, shortcomings }: Recording): Layer =>
  (next) =>
    async function recorded(call) {
      const started = clock.now()
      const { why } = call.target
      const deployment = call.target.deployment.label
      const health = book.of(deployment)
      const { context, admission } = call.trace
      const charged = admission?.charge(call)
      const held = charged instanceof Promise ? await charged : charged
      const span = context?.nextSpan()
      const use = call.target.deployment.rate && new Use(health, call, started)
      health.inFlight++
      if (held) call.trace.usage = undefined
      try {
        const answer = await next(span === undefined ? call : { ...call, span })
        const now = clock.now()
        const attempt: AttemptRecord = { deployment, why, at: started, ms: now - started, span }
        if (held) noteHeld(attempt, held, call.trace)
        call.trace.attempts.push(attempt)
        health.latency.measured(now - started, now)
        const ended = (at: number) => {
          health.inFlight--
          attempt.over = at
          use?.ended(at, attempt, answer)
          if (attempt.broke) health.breaker?.failed(at, 'failed')
          else health.breaker?.succeeded(at)
        }
        if (answer.socket) {
          health.breaker?.answered()
          answer.socket.whenOver(({ broke }) => {
            if (broke) attempt.broke = true
            ended(clock.now())
          })
          return answer
        }
        // What is to stay untouched isn't followed to its end either.
        if (isStream(answer.body) && call.target.limits.streams !== 'untouched') {
          health.breaker?.answered()
          return whenOver(answer, () => ended(clock.now()))
        }
        ended(now)
        return answer
      } catch (thrown) {
        const failure = asGatewayError(thrown)
        health.inFlight--
        use?.failed(clock.now())
        tell(health.breaker, failure, clock.now())
        const ms = clock.now() - started
        const { kind, reason, upstreamStatus: status } = failure
        const tried: AttemptRecord = { deployment, why, at: started, ms, failure: kind, reason, status, span }
        if (held) noteHeld(tried, held, call.trace, failure)
        call.trace.attempts.push(tried)
        const { lacks } = failure
        if (lacks && call.operation.query(call.body).needs.has(lacks)) shortcomings?.add(deployment, lacks)
        if (failure.kind !== 'gone')
          log(`${call.requestId} ${headerValue(deployment)}: ${failure.reason} after ${Math.round(ms)} ms`, 'warn')
        throw failure
      }
    }

/** What an attempt used is charged by what it held. A part of a request that is shared out has a trace of its own. */
function noteHeld(attempt: Writable<AttemptRecord>, held: Held, { usage }: Trace, error?: GatewayError): void {
  attempt.held = held
  if (error) attempt.error = error
  else if (usage) attempt.usage = usage
  held.attempt = attempt
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }

/** Counts an attempt for the tokens that its deployment may be asked for in a minute. */
class Use {
  readonly #call: Call
  readonly #correct: ReturnType<MinuteUse['began']>

  constructor({ use }: Health, call: Call, now: number) {
    this.#call = call
    this.#correct = use.began(now, call.operation.query(call.body).tokens)
  }

  /** Without any word of the tokens, the estimate stands. */
  ended(now: number, { reader }: AttemptRecord, { body }: Answer): void {
    const { operation } = this.#call
    const json = body instanceof Uint8Array && operation.usage ? tryParse(decoder.decode(body)) : undefined
    const tokens = tokensIn(isObject(json) ? operation.usage?.(json) : reader?.usage)
    if (tokens !== undefined) this.#correct(now, tokens)
  }

  failed(now: number): void {
    this.#correct(now, 0)
  }
}

const decoder = new TextDecoder()

function tokensIn(usage: JsonObject | undefined): number | undefined {
  const { total_tokens: total, prompt_tokens: prompt, completion_tokens: completion } = usage ?? {}
  if (typeof total === 'number') return total
  return typeof prompt === 'number' ? prompt + (typeof completion === 'number' ? completion : 0) : undefined
}

function tell(breaker: Breaker | undefined, { kind, retryAfterMs }: GatewayError, now: number): void {
  const severity = reactions[kind].cools
  if (severity) breaker?.failed(now, severity, retryAfterMs)
  else breaker?.released(now)
}
