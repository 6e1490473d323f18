import { type Answer, isStream, withStep } from '../core/answer.ts'
import type { Call, Layer } from '../core/call.ts'
import { streamError } from '../core/failure.ts'
import type { Fault, StreamReader } from '../core/operation.ts'
import { concat, type Emit, type Ending, type Stage, type Step, type Watch } from '../core/stream.ts'
import { Block } from '../wire/block.ts'
import { asGatewayError, describeCause, errorEnvelope, GatewayError } from '../wire/errors.ts'
import { type JsonObject, tryParse } from '../wire/json.ts'
import { done, EventReader, eventBound, frame, lastBoundary, truncated } from '../wire/sse.ts'
import { afterHalf } from '../wire/unfinished.ts'
import { EventFollower } from './follow.ts'

/**
 * Detects a stream that breaks off: it gets an error event, never a clean end, and no finish is invented. A complete
 * stream passes unchanged, except that a missing `[DONE]` is added. An error that the upstream reports in its stream is
 * sent on in the error envelope, without any keys that it quotes.
 */
export const integrity =
  ({ log }: { log: (message: string) => void }): Layer =>
  (next) =>
    function checked(call) {
      return call.body.stream && call.operation.reader ? checkedStream(next(call), call, log) : next(call)
    }

async function checkedStream(pending: Promise<Answer>, call: Call, log: (message: string) => void): Promise<Answer> {
  const answer = await pending
  if (!isStream(answer.body) || !call.operation.reader) return answer
  const { provider } = call.target.deployment
  const words: Words = {
    told: (error) => streamError(error, provider, call.bearer),
    broke(error) {
      const failure = asGatewayError(error)
      if (failure.kind === 'internal') log(`${call.requestId} ${describeCause(failure)}`)
      return errorEnvelope(failure)
    },
    name: provider.name,
  }
  const reader = call.operation.reader()
  return withStep(answer, integrityStep(reader, words, carriedOf(call)))
}

/** Without a `streams` setting, only providers known to end their streams properly are checked after sending. */
function carriedOf({ target }: Call): Step['carried'] {
  const { definition, settings } = target.deployment.provider
  const { streams } = target.limits
  if (streams === undefined) return definition.endsStreams?.(settings) ? 'watch' : 'never'
  return streams === 'untouched' ? 'skip' : streams === 'observed' ? 'watch' : 'never'
}

/** Builds the error envelopes for failures. */
export interface Words {
  /** For an error that the upstream reported in its stream. */
  told(error: unknown): JsonObject
  /** For an error that broke the stream. */
  broke(error: unknown): JsonObject
  /** The provider's name. */
  readonly name: string
}

export function integrityStep(reader: StreamReader, words: Words, carried: Step['carried']): Step {
  return { stage: new Check(reader, words), watch: new LookingOn(reader, words), carried }
}

/** Passes events on only when they are whole and checked, so that an error event never lands inside another event. */
class Check implements Stage {
  readonly #follower: EventFollower
  readonly #reader: StreamReader
  readonly #words: Words
  /** An event that has not ended yet, and the last two bytes received. */
  readonly #held = new Block(eventBound)
  #last = 0
  #lastButOne = 0
  over = false

  constructor(reader: StreamReader, words: Words) {
    this.#reader = reader
    this.#words = words
    this.#follower = new EventFollower(reader)
  }

  chunk(bytes: Uint8Array, emit: Emit): void {
    if (this.over || bytes.length === 0) return
    const end = lastBoundary(bytes, this.#last, this.#lastButOne)
    this.#lastButOne = bytes.length > 1 ? (bytes[bytes.length - 2] as number) : this.#last
    this.#last = bytes[bytes.length - 1] as number
    if (end === bytes.length && this.#held.size === 0) {
      this.#pass(bytes, emit)
      return
    }
    if (end > 0) {
      this.#held.add(end === bytes.length ? bytes : bytes.subarray(0, end))
      this.#pass(this.#held.take(), emit)
    }
    if (end === bytes.length || this.over) return
    if (this.#held.size + bytes.length - end > eventBound) throw endless()
    this.#held.add(end > 0 ? bytes.subarray(end) : bytes)
  }

  end(emit: Emit): void {
    this.#flush(emit)
    if (this.over || this.#follower.ended) return
    if (this.#reader.complete) emit(done)
    else this.#breakOff(this.#words.broke(truncated()), emit)
  }

  fail(error: unknown, emit: Emit): void {
    if (this.over) return
    this.#flush(emit)
    // A stream that has sent its `[DONE]` needs nothing more.
    if (!this.over && !this.#follower.ended) this.#breakOff(this.#words.broke(error), emit)
  }

  /** Passes whole events on, up to one that is a fault or ends the stream too early. */
  #pass(bytes: Uint8Array, emit: Emit): void {
    const stop = this.#follower.follow(bytes)
    if (!stop) emit(bytes)
    else {
      if (stop.at > 0) emit(bytes.subarray(0, stop.at))
      this.#breakOff(envelopeOf(stop.fault, this.#words), emit)
    }
  }

  /** Passes on a last event that lacks only its blank line. */
  #flush(emit: Emit): void {
    if (this.over || this.#held.size === 0) return
    const rest = this.#held.take()
    if (isWhole(rest)) this.#pass(concat([rest, blankLine]), emit)
  }

  #breakOff(envelope: JsonObject, emit: Emit): void {
    this.over = true
    emit(frame(envelope))
  }
}

/** Observes a stream that a runtime forwards by itself, and returns at the end what is missing. */
class LookingOn implements Watch {
  readonly #follower: EventFollower
  readonly #reader: StreamReader
  readonly #words: Words
  readonly #half = new Block()
  #last = 0
  #lastButOne = 0
  /** Whether the upstream has reported an error, which has already gone out unchanged. */
  #told = false

  constructor(reader: StreamReader, words: Words) {
    this.#reader = reader
    this.#words = words
    this.#follower = new EventFollower(reader)
  }

  see(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    const end = lastBoundary(bytes, this.#last, this.#lastButOne)
    this.#lastButOne = bytes.length > 1 ? (bytes[bytes.length - 2] as number) : this.#last
    this.#last = bytes[bytes.length - 1] as number
    this.#half.add(end > 0 ? bytes.subarray(0, end) : bytes)
    if (end === 0) return
    const stop = this.#follower.follow(this.#half.take())
    if (stop && 'told' in stop.fault) this.#told = true
    this.#half.add(bytes.subarray(end))
  }

  ended({ failure, seen }: Ending): Uint8Array | undefined {
    if (!seen) return failure && afterHalf(nothing, this.#words.broke(failure.error))
    const half = this.#half.take()
    const whole = half.length > 0 && isWhole(half)
    if (whole) this.#follower.follow(concat([half, blankLine]))
    if (this.#told || (this.#follower.ended && this.#reader.complete)) return half.length > 0 ? blankLine : nothing
    if (this.#reader.complete && !failure) return half.length > 0 ? afterHalf(half) : done
    return afterHalf(half, this.#words.broke(failure ? failure.error : truncated()))
  }
}

const nothing = new Uint8Array(0)
const blankLine = new TextEncoder().encode('\n\n')

/** Whether an event that lacks its blank line is complete otherwise. */
function isWhole(rest: Uint8Array): boolean {
  const reader = new EventReader()
  try {
    const events = [...reader.read(rest), ...reader.end()]
    return events.every(({ data }) => data === '' || data === '[DONE]' || tryParse(data) !== undefined)
  } catch {
    // Longer than an event may be.
    return false
  }
}

function envelopeOf(fault: Fault, words: Words): JsonObject {
  return 'told' in fault ? words.told(fault.told) : words.broke(faulty(fault.wrong, words.name))
}

function faulty(wrong: string, name: string): GatewayError {
  if (wrong === '') return truncated()
  return new GatewayError('protocol', `${name} ${wrong}.`)
}

function endless(): GatewayError {
  return new GatewayError('protocol', 'The upstream sent an event that has no end.')
}
