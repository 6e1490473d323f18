import { type Answer, isStream, withStep } from '../core/answer.ts'
import type { Call, Layer } from '../core/call.ts'
import type { Clock } from '../core/clock.ts'
import { disclosure } from '../core/disclosure.ts'
import type { Log } from '../core/log.ts'
import type { Beat } from '../core/operation.ts'
import { sourceOf } from '../core/sources.ts'
import { gap, type Step } from '../core/stream.ts'
import type { NamingServices } from '../core/stream-reader.ts'
import { concat } from '../wire/block.ts'
import { asGatewayError, describeCause, errorEnvelope, type GatewayError } from '../wire/errors.ts'
import type { Random } from '../wire/ids.ts'
import { comment, frame } from '../wire/sse.ts'

export interface KeepAliveOptions {
  readonly clock: Clock
  readonly random: Random
  readonly ms: number
  readonly log: Log
}

/**
 * Opens a stream with a comment, or what else the operation's clients pass over, if nothing has arrived for `ms`, and
 * sends one after every further silence of that length: proxies and clients give up on silence, and Workers notice only
 * when writing that a client has left. The first one fixes the status at 200, so a failure of all targets becomes an error event.
 */
export const keepAlive =
  (options: KeepAliveOptions): Layer =>
  (next) =>
    function keptAlive(call) {
      const pending = next(call)
      if (!call.streams) return pending
      return new Promise<Answer>((resolve, reject) => {
        const cancel = options.clock.after(options.ms, () => resolve(openedEarly(pending, call, options)))
        pending.then(
          (answer) => {
            cancel()
            resolve(withStep(answer, breakingSilence(beatOf(call), options.ms)))
          },
          (error) => {
            cancel()
            reject(error)
          },
        )
      })
    }

const usualBeat: Beat = { bytes: comment('keep-alive'), comments: true }
const nothing = new Uint8Array(0)

function beatOf({ operation }: Call): Beat {
  return operation.beat ?? usualBeat
}

function breakingSilence({ bytes }: Beat, ms: number): Step {
  let heard = false
  return {
    watch: {
      see() {
        heard = true
      },
    },
    silence: {
      ms,
      looks: 1,
      heard() {
        const said = heard
        heard = false
        return said
      },
      onSilence: () => bytes,
    },
    // Nothing can be sent while the runtime forwards the stream.
    carried: 'skip',
  }
}

function openedEarly(answered: Promise<Answer>, call: Call, options: KeepAliveOptions): Answer {
  const { ms, log } = options
  const beat = beatOf(call)
  const comments = beat.comments ? commentsOf : () => []
  const pending = answered.then(
    (answer) => {
      // The headers went out without this information, so comments say who answers.
      const opening = concat(comments(disclosure(call.trace)))
      const { body } = withStep(answer, breakingSilence(beat, ms))
      return { opening, stream: isStream(body) ? body : { source: sourceOf([wholeOf(body)]), steps: [] } }
    },
    (error) => {
      const failure = asGatewayError(error)
      if (failure.kind === 'internal') log(`${call.requestId} ${describeCause(failure)}`, 'error')
      call.trace.failure = failure
      const told = call.trace.asked ? comments(disclosure(call.trace)) : []
      const [first = nothing, ...rest] = lastWords(failure, call, options)
      return { opening: concat([...told, first]), stream: { source: sourceOf(rest), steps: [behindGap] } }
    },
  )
  return {
    status: 200,
    headers: { 'content-type': 'text/event-stream; charset=utf-8' },
    body: { pending, ms, comment: beat.bytes },
  }
}

const behindGap: Step = {
  stage: {
    chunk(bytes, emit) {
      emit(gap)
      emit(bytes)
    },
  },
  carried: 'never',
}

function commentsOf(headers: Readonly<Record<string, string>>): readonly Uint8Array[] {
  return Object.entries(headers).map(([name, value]) => comment(`${name}: ${value}`))
}

/** No layer below this one opens a stream early. */
function wholeOf(body: Answer['body']): Uint8Array {
  return body instanceof Uint8Array ? body : nothing
}

/** The error as the end of the stream. */
function lastWords(failure: GatewayError, { operation, body }: Call, services: NamingServices): readonly Uint8Array[] {
  const envelope = errorEnvelope(failure)
  return operation.reader?.(body.json).broken?.(envelope, services, failure) ?? [frame(envelope)]
}
