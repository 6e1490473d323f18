import type { Answer } from '../core/answer.ts'
import type { AttemptRecord, Call, Trace, Upstream } from '../core/call.ts'
import type { Clock } from '../core/clock.ts'
import { Abort } from '../core/signal.ts'
import type { RequestBody } from '../wire/body.ts'
import { GatewayError } from '../wire/errors.ts'

/** Exchanges of one request at a time: more would take an upstream from its other clients. */
export const concurrent = 4

/** One of the exchanges that a request is shared out among. */
export interface Part {
  readonly body: RequestBody
  readonly routed: RequestBody | undefined
}

/**
 * The answers to all parts of a request, in order. The first part that fails for good is the failure of all, and the
 * others are stopped. In the call's trace the attempts of one part stand for those of all, which are no further ones:
 * the part that failed, or that needed most.
 */
export async function together(
  next: Upstream,
  call: Call,
  parts: readonly Part[],
  clock: Clock,
): Promise<readonly Answer[]> {
  const started = clock.now()
  const abort = new Abort()
  const leave = () => abort.abort(call.signal.reason)
  if (call.signal.aborted) leave()
  call.signal.addEventListener('abort', leave)
  const traces = tracesOf(call, parts.length)
  const answers: Answer[] = []
  let begun = 0
  let failed: Trace | undefined
  const inTurn = async () => {
    for (let at = begun++; at < parts.length && !failed; at = begun++) {
      if (at > 0 && clock.now() >= call.deadline) throw late(call, parts.length)
      const trace = traces[at] as Trace
      try {
        answers[at] = await next({ ...call, ...(parts[at] as Part), trace, signal: abort })
      } catch (failure) {
        failed ??= trace
        throw failure
      }
    }
  }
  try {
    await Promise.all(Array.from({ length: Math.min(concurrent, parts.length) }, inTurn))
    return answers
  } catch (failure) {
    abort.abort(stopped())
    throw failure
  } finally {
    call.signal.removeEventListener('abort', leave)
    note(call, failed ?? longest(traces), { parts: parts.length, ms: Math.round(clock.now() - started) })
  }
}

/** A trace for each part, so that their attempts are told apart. */
export function tracesOf({ trace }: Call, parts: number): readonly Trace[] {
  return Array.from({ length: parts }, () => ({ ...trace, attempts: [...trace.attempts] }))
}

export function longest(traces: readonly Trace[]): Trace {
  return traces.reduce((one, other) => (other.attempts.length > one.attempts.length ? other : one))
}

/** Adds a part's attempts to the call's; the last of them is that of the whole request. */
export function note({ trace }: Call, { attempts, dropped }: Trace, whole: Partial<AttemptRecord>): void {
  if (dropped) trace.dropped = dropped
  const own = attempts.slice(trace.attempts.length)
  const last = own.pop()
  trace.attempts.push(...own)
  if (last) trace.attempts.push({ ...last, ...whole })
}

export function stopped(): GatewayError {
  return new GatewayError('gone', 'Another part of the same request failed.', { reason: 'shared' })
}

function late({ target }: Call, parts: number): GatewayError {
  const { label } = target.deployment
  return new GatewayError('timeout', `${label} did not answer all ${parts} parts of the request in time.`)
}
