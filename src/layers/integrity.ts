import { type Answer, isStream, withStep } from '../core/answer.ts'
import { askedFields } from '../core/asked.ts'
import type { Call, Layer } from '../core/call.ts'
import { readInBand, streamError } from '../core/failure.ts'
import type { Mender } from '../core/repair.ts'
import { repairOf } from '../core/repair-of.ts'
import type { Services } from '../core/services.ts'
import type { Step } from '../core/stream.ts'
import type { StreamReader } from '../core/stream-reader.ts'
import type { AttemptRecord } from '../core/trace.ts'
import { asGatewayError, describeCause, errorEnvelope } from '../wire/errors.ts'
import { CallContext } from './call-context.ts'
import { Check } from './check.ts'
import { LookingOn } from './looking-on.ts'
import type { Words } from './stream-faults.ts'

export type { Words } from './stream-faults.ts'

type Needed = Pick<Services, 'clock' | 'log' | 'random'>

/**
 * Detects a stream that breaks off: it gets an error event, never a clean end, and no finish is invented. An error that
 * the upstream reports in its stream is sent on in the error envelope, without any keys that it quotes. A complete
 * stream passes unchanged, except that a missing `[DONE]` is added, and that events which some clients could not read
 * are put right.
 */
export const integrity =
  (services: Needed): Layer =>
  (next) =>
    function checked(call) {
      return call.streams ? checkedStream(next(call), call, services) : next(call)
    }

async function checkedStream(pending: Promise<Answer>, call: Call, services: Needed): Promise<Answer> {
  const { log } = services
  const answer = await pending
  if (!isStream(answer.body) || !call.operation.reader) return answer
  const { provider } = call.target.deployment
  const label = call.target.deployment.label
  const attempt: Partial<AttemptRecord> = call.trace.attempts.findLast(({ deployment }) => deployment === label) ?? {}
  const words: Words = {
    told(error) {
      attempt.broke = true
      attempt.reason = readInBand(error, call).reason
      return streamError(error, call)
    },
    broke(error) {
      // Whose client has left breaks off too, which says nothing of its deployment.
      if (!call.signal.aborted) attempt.broke = true
      const failure = asGatewayError(error)
      attempt.reason = failure.reason
      if (failure.kind === 'internal') log(`${call.requestId} ${describeCause(failure)}`, 'error')
      return errorEnvelope(failure)
    },
    name: provider.name,
    services,
  }
  const reader = call.operation.reader(askedFields(call))
  attempt.reader = reader
  return withStep(answer, integrityStep(reader, words, carriedOf(call), menderFor(call, services)))
}

function menderFor(call: Call, services: Needed): Mender | undefined {
  return repairOf(call)?.value?.stream?.(new CallContext(call, services))
}

/** Without a `streams` setting, only providers known to end their streams properly are checked after sending. */
function carriedOf({ target }: Call): Step['carried'] {
  const { definition, settings } = target.deployment.provider
  const { streams } = target.limits
  if (streams === undefined) return definition.endsStreams?.(settings) ? 'watch' : 'never'
  return streams === 'untouched' ? 'skip' : streams === 'observed' ? 'watch' : 'never'
}

export function integrityStep(reader: StreamReader, words: Words, carried: Step['carried'], mender?: Mender): Step {
  return { stage: new Check(reader, words, mender), reader, watch: new LookingOn(reader, words), carried }
}
