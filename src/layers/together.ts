import type { Answer } from '../core/answer.ts'
import type { Call, Upstream } from '../core/call.ts'
import type { Clock } from '../core/clock.ts'
import { GatewayError } from '../wire/errors.ts'
import { Exchanges, type Part, stopped } from './exchanges.ts'

/**
 * The answers to all parts of a request, in order. The first part that fails for good is the failure of all, and the
 * others are stopped.
 */
export async function together(
  next: Upstream,
  call: Call,
  parts: readonly Part[],
  clock: Clock,
): Promise<readonly Answer[]> {
  const exchanges = new Exchanges(next, call, parts, clock)
  const answers: Answer[] = []
  let begun = 0
  const inTurn = async () => {
    for (let at = begun++; at < parts.length && !exchanges.failed; at = begun++) {
      if (at > 0 && clock.now() >= call.deadline) throw late(call, parts.length)
      answers[at] = await exchanges.open(at)
    }
  }
  try {
    await Promise.all(Array.from({ length: exchanges.first }, inTurn))
    return answers
  } catch (failure) {
    exchanges.stop(stopped())
    throw failure
  } finally {
    exchanges.over()
    exchanges.note()
  }
}

function late({ target }: Call, parts: number): GatewayError {
  const { label } = target.deployment
  return new GatewayError('timeout', `${label} did not answer all ${parts} parts of the request in time.`)
}
