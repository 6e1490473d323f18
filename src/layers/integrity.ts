import { type Answer, type Call, isStream, type Layer } from '../core/call.ts'
import { streamError } from '../core/failure.ts'
import { concat, type Emit, type Stage, through } from '../core/stream.ts'
import { lastBoundary, Tail } from '../core/tail.ts'
import { asGatewayError, describeCause, errorEnvelope, GatewayError } from '../wire/errors.ts'
import { isObject, type JsonObject, tryParse } from '../wire/json.ts'
import { done, EventReader, frame } from '../wire/sse.ts'
import { afterHalf } from '../wire/unfinished.ts'

/** Bytes of one unfinished event that are held back; a longer one (an image) goes on as it comes. */
const eventBound = 1024 * 1024

/**
 * Sees to it that a stream which breaks off is told apart from one that ends: it gets an error event, never a clean
 * end, and no finish reason is invented. A whole stream passes untouched; a missing `[DONE]` is added. An error that
 * the upstream tells in its stream goes on in the envelope, without what it may quote of keys, unless the runtime
 * carries the stream: then it has gone out by the time that it is seen.
 */
export const integrity =
  ({ log }: { log: (message: string) => void }): Layer =>
  (next) =>
    function checked(call) {
      return call.body.stream ? checkedStream(next(call), call, log) : next(call)
    }

async function checkedStream(pending: Promise<Answer>, call: Call, log: (message: string) => void): Promise<Answer> {
  const answer = await pending
  const { limits, deployment } = call.target
  if (!isStream(answer.body) || answer.body.native) return answer
  const { provider } = deployment
  const stage = endCheck({
    lookingOn: limits.streams === 'observed',
    told: (error) => streamError(error, provider, call.bearer),
    broke(error) {
      const failure = asGatewayError(error)
      if (failure.kind === 'internal') log(`${call.requestId} ${describeCause(failure)}`)
      return errorEnvelope(failure)
    },
  })
  return { ...answer, body: through(answer.body, stage) }
}

export interface EndCheck {
  /** Makes an envelope of an error that the upstream told in its stream. */
  told(error: unknown): JsonObject
  /** Makes an envelope of an error that broke the stream. */
  broke(error: unknown): JsonObject
  /**
   * Where the runtime can carry bytes by itself it may, and what went by is looked at behind it: the end is mended as
   * ever, but an error that the upstream tells has gone out in its own words.
   */
  readonly lookingOn?: boolean
}

/**
 * The stage behind the layer. Only whole events leave it, so that an error event never lands inside half of one. What
 * has gone out by halves nevertheless, carried or too long, is completed first.
 */
export function endCheck({ told, broke, lookingOn = false }: EndCheck): Stage {
  const tail = new Tail()
  /** The pieces of an event that has not ended yet; the last two bytes that came. */
  let held: Uint8Array[] = []
  let heldBytes = 0
  let last = 0
  let lastButOne = 0
  /** The last byte that went on is inside an event: one too long to be held back. */
  let inside = false
  let over = false
  /** What was carried could not be seen to its end. */
  let blind = false

  const breakOff = (envelope: JsonObject, emit: Emit) => {
    over = true
    if (blind) emit(afterHalf(new Uint8Array(0), envelope))
    else emit(inside ? afterHalf(tail.half(), envelope) : frame(envelope))
  }
  const hold = (bytes: Uint8Array) => {
    if (bytes.length === 0) return
    held.push(bytes)
    heldBytes += bytes.length
  }
  const withHeld = (bytes: Uint8Array) => {
    const all = held.length > 0 ? concat([...held, bytes], heldBytes + bytes.length) : bytes
    held = []
    heldBytes = 0
    return all
  }
  /** Lets whole events go, up to the one that ends the stream before its time. */
  const pass = (bytes: Uint8Array, emit: Emit) => {
    const error = mentionsError(bytes) ? findError(bytes) : undefined
    if (error) {
      if (error.at > 0) emit(bytes.subarray(0, error.at))
      return breakOff(told(error.error), emit)
    }
    tail.add(bytes, true)
    const ending = doneAt(bytes)
    if (ending < 0 || tail.state() !== 'cut') return emit(bytes)
    if (ending > 0) emit(bytes.subarray(0, ending))
    breakOff(broke(truncated()), emit)
  }

  const boundaryIn = (bytes: Uint8Array) => {
    const end = lastBoundary(bytes, last, lastButOne)
    lastButOne = bytes.length > 1 ? (bytes[bytes.length - 2] as number) : last
    last = bytes[bytes.length - 1] as number
    return end
  }
  const lookOn: Pick<Stage, 'passed'> = {
    passed(bytes) {
      if (!bytes) blind = true
      else if (bytes.length > 0) {
        const end = boundaryIn(bytes)
        inside = end < bytes.length
        tail.add(bytes, end > 0)
      }
    },
  }
  /** Lets go of an event that only lacks its blank line. */
  const flush = (emit: Emit) => {
    const rest = withHeld(new Uint8Array(0))
    if (rest.length > 0 && isReadable(rest)) pass(concat([rest, blankLine]), emit)
  }

  return {
    ...(lookingOn && lookOn),
    chunk(bytes, emit) {
      if (over || bytes.length === 0) return
      const end = boundaryIn(bytes)
      if (end > 0) {
        const whole = end === bytes.length
        pass(withHeld(whole ? bytes : bytes.subarray(0, end)), emit)
        inside = false
        if (!whole) hold(bytes.subarray(end))
        return
      }
      if (!inside) hold(bytes)
      if (!inside && heldBytes <= eventBound) return
      const all = inside ? bytes : withHeld(new Uint8Array(0))
      inside = true
      tail.add(all, false)
      emit(all)
    },
    end(emit) {
      if (over || blind) return
      flush(emit)
      if (over) return
      const state = tail.state()
      if (state === 'finished') emit(inside ? afterHalf(tail.half()) : done)
      else if (state === 'cut') breakOff(broke(truncated()), emit)
      else if (inside) emit(blankLine)
    },
    fail(error, emit) {
      if (over) return
      flush(emit)
      if (over) return
      const state = blind ? 'cut' : tail.state()
      // A stream that told its end has nothing to add, but perhaps the blank line that was lost.
      if (state === 'finished' || state === 'cut') breakOff(broke(error), emit)
      else if (inside) emit(blankLine)
    },
  }
}

const blankLine = new TextEncoder().encode('\n\n')

/** Whether `erro` begins a word or a key anywhere: a look that every chunk can afford. */
function mentionsError(bytes: Uint8Array): boolean {
  // Four letters in a row cover a place divisible by four: only those are looked at.
  for (let at = 0; at < bytes.length; at += 4) {
    const byte = bytes[at]
    if (
      byte === 101
        ? isError(bytes, at)
        : byte === 111
          ? isError(bytes, at - 3)
          : byte === 114 && (isError(bytes, at - 1) || isError(bytes, at - 2))
    ) {
      return true
    }
  }
  return false
}

/** Whether `erro` stands at `at`, behind a quote, a space or a colon. */
function isError(bytes: Uint8Array, at: number): boolean {
  if (bytes[at] !== 101 || bytes[at + 1] !== 114 || bytes[at + 2] !== 114 || bytes[at + 3] !== 111) return false
  const before = bytes[at - 1]
  return before === 34 || before === 32 || before === 58
}

/** The first event that tells of an error, and where it begins. */
function findError(bytes: Uint8Array): { at: number; error: unknown } | undefined {
  let end = bytes.length
  let found: { at: number; error: unknown } | undefined
  // From the last event to the first, since boundaries are found from the end.
  while (end > 0) {
    const start = lastBoundary(bytes.subarray(0, end - 1))
    const reader = new EventReader()
    for (const { data, event } of [...reader.read(bytes.subarray(start, end)), ...reader.end()]) {
      const chunk = tryParse(data)
      if (!isObject(chunk)) continue
      if (chunk.error) found = { at: start, error: chunk.error }
      else if (event === 'error') found = { at: start, error: chunk }
    }
    end = start
  }
  return found
}

/** Where a closing `[DONE]` begins, or -1 when the bytes end otherwise. */
function doneAt(bytes: Uint8Array): number {
  let last = bytes.length - 1
  while (bytes[last] === 10 || bytes[last] === 13) last--
  if (bytes[last] !== 93) return -1
  const start = Math.max(0, last - 12)
  const found = /data: ?\[DONE\]$/.exec(String.fromCharCode(...bytes.subarray(start, last + 1)))
  return found ? start + found.index : -1
}

/** Whether an event without its blank line is whole nevertheless. */
function isReadable(partial: Uint8Array): boolean {
  const reader = new EventReader()
  const events = [...reader.read(partial), ...reader.end()]
  return events.every(({ data }) => data === '[DONE]' || tryParse(data) !== undefined)
}

function truncated(): GatewayError {
  return new GatewayError('protocol', 'The upstream ended its stream before the answer was finished.', {
    code: 'upstream_stream_truncated',
  })
}
