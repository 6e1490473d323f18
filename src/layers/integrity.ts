import { type Answer, isStream, withStep } from '../core/answer.ts'
import type { Call, Layer } from '../core/call.ts'
import { streamError } from '../core/failure.ts'
import type { Fault, StreamReader } from '../core/operation.ts'
import { concat, type Emit, type Ending, type Stage, type Step, type Watch } from '../core/stream.ts'
import { Block } from '../wire/block.ts'
import { asGatewayError, describeCause, errorEnvelope, GatewayError } from '../wire/errors.ts'
import { type JsonObject, tryParse } from '../wire/json.ts'
import { done, EventReader, eventBound, frame, lastBoundary } from '../wire/sse.ts'
import { afterHalf } from '../wire/unfinished.ts'
import { EventFollower } from './follow.ts'

/**
 * Tells a stream that breaks off from one that ends: it gets an error event, never a clean end, and no finish is made
 * up. A whole stream passes untouched; a missing `[DONE]` is added. An error that the upstream tells in its stream goes
 * on in the envelope, without the keys that it may quote.
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

/** Where nobody said how closely to look, only a provider whose streams end as they should is looked at from behind. */
function carriedOf({ target }: Call): Step['carried'] {
  const { definition, settings } = target.deployment.provider
  const { streams } = target.limits
  if (streams === undefined) return definition.endsStreams?.(settings) ? 'watch' : 'never'
  return streams === 'untouched' ? 'skip' : streams === 'observed' ? 'watch' : 'never'
}

/** How failures are worded: as envelopes. */
export interface Words {
  /** Of an error that the upstream told in its stream. */
  told(error: unknown): JsonObject
  /** Of an error that broke the stream. */
  broke(error: unknown): JsonObject
  /** The provider's. */
  readonly name: string
}

export function integrityStep(reader: StreamReader, words: Words, carried: Step['carried']): Step {
  return { stage: new Check(reader, words), watch: new LookingOn(reader, words), carried }
}

/** Lets whole events go once they have been seen, so that an error event never lands inside half of one. */
class Check implements Stage {
  readonly #follower: EventFollower
  readonly #reader: StreamReader
  readonly #words: Words
  /** An event that has not ended yet, and the last two bytes that came. */
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
    // A stream that has told its end has nothing to add.
    if (!this.over && !this.#follower.ended) this.#breakOff(this.#words.broke(error), emit)
  }

  /** Lets whole events go, up to one that is a fault or ends the stream before its time. */
  #pass(bytes: Uint8Array, emit: Emit): void {
    const stop = this.#follower.follow(bytes)
    if (!stop) emit(bytes)
    else {
      if (stop.at > 0) emit(bytes.subarray(0, stop.at))
      this.#breakOff(envelopeOf(stop.fault, this.#words), emit)
    }
  }

  /** Lets go of a last event that only lacks its blank line. */
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

/** Follows a stream that a runtime carries by itself, and says at its end what is missing. */
class LookingOn implements Watch {
  readonly #follower: EventFollower
  readonly #reader: StreamReader
  readonly #words: Words
  readonly #half = new Block()
  #last = 0
  #lastButOne = 0
  /** The upstream has told an error, which has gone out in its own words. */
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

/** Whether an event without its blank line is whole nevertheless. */
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

function truncated(): GatewayError {
  return new GatewayError('protocol', 'The upstream ended its stream before the answer was finished.', {
    code: 'upstream_stream_truncated',
  })
}

function endless(): GatewayError {
  return new GatewayError('protocol', 'The upstream sent an event that has no end.')
}
