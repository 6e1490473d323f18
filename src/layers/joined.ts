import { type Answer, discard } from '../core/answer.ts'
import type { Upstream } from '../core/call.ts'
import type { Lacking } from '../core/operation.ts'
import { GatewayError } from '../wire/errors.ts'
import { Exchanges, type Part, stopped } from './exchanges.ts'
import { Joining, type Means } from './joining.ts'

/**
 * One stream from those that answer the parts of a request. It begins when the first parts have content; each of the
 * others begins when one has ended. A part that fails before that is the failure of all; later it breaks the stream.
 */
export async function joinedStream(next: Upstream, parts: readonly Part[], means: Means): Promise<Answer> {
  const exchanges = new Exchanges(next, means.call, parts, means.clock)
  const opening = Array.from({ length: exchanges.first }, (_, at) => exchanges.open(at))
  try {
    const answers = await Promise.all(opening)
    exchanges.note()
    return { ...(answers[0] as Answer), body: new Joining(means).body(answers, exchanges) }
  } catch (failure) {
    exchanges.over()
    exchanges.stop(stopped())
    for (const one of await Promise.allSettled(opening)) if (one.status === 'fulfilled') discard(one.value)
    exchanges.note()
    throw failure
  }
}

interface Continuing extends Means {
  readonly lacking: Lacking
  /** The parts of the request, to be had when some are lacking. */
  readonly parts: () => readonly Part[] | undefined
}

/**
 * A stream that may turn out to be less than was asked for, as it comes, and then those of the parts that it lacks. What
 * can't be added, or fails, breaks it.
 */
export function continuedStream(next: Upstream, first: Answer, means: Continuing): Answer {
  const { call, clock, lacking, parts } = means
  const rest = () => {
    const all = parts() ?? []
    const missing = lacking.missing()
    if (missing) return { exchanges: new Exchanges(next, call, all, clock), missing }
    const { label } = call.target.deployment
    throw new GatewayError('protocol', `${label} answered with less than it was asked for.`)
  }
  return { ...first, body: new Joining(means).continuing(first, lacking, rest) }
}
