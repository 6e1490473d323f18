import { isStream, type Layer } from '../core/call.ts'
import { concat, type Emit, type Stage, through } from '../core/stream.ts'
import { asGatewayError, errorEnvelope, GatewayError } from '../wire/errors.ts'
import { isObject, tryParse } from '../wire/json.ts'
import { done, EventReader, frame } from '../wire/sse.ts'

/** Bytes at the end of a stream in which its finish is looked for: the last events, whatever came before. */
const tailSize = 16 * 1024
/** Bytes of one unfinished event that are held back; a longer one (an image) goes on as it comes. */
const eventBound = 1024 * 1024

/**
 * Sees to it that a stream which breaks off is told apart from one that ends: it gets an error event, never a clean
 * end, and no finish reason is invented. A whole stream passes untouched; a missing `[DONE]` is added.
 */
export const integrity: Layer = (next) =>
  async function whole(call) {
    const answer = await next(call)
    return isStream(answer.body) ? { ...answer, body: through(answer.body, endCheck()) } : answer
  }

/** The stage behind the layer. Only whole events leave it, so that an error event never lands inside half of one. */
export function endCheck(): Stage {
  let partial: Uint8Array | undefined
  const tail: Uint8Array[] = []
  let tailBytes = 0
  /** The last byte that went on is inside an event: one too long to be held back. */
  let inside = false
  let over = false

  const pass = (bytes: Uint8Array, emit: Emit) => {
    tail.push(bytes)
    tailBytes += bytes.length
    while (tail.length > 1 && tailBytes - (tail[0] as Uint8Array).length >= tailSize) {
      tailBytes -= (tail.shift() as Uint8Array).length
    }
    const ending = doneAt(bytes)
    if (ending < 0 || readTail(tail) !== 'cut') return emit(bytes)
    if (ending > 0) emit(bytes.subarray(0, ending))
    breakOff(truncated(), emit)
  }

  const breakOff = (error: GatewayError, emit: Emit) => {
    over = true
    if (inside) emit(blankLine)
    emit(errorFrame(error))
  }

  return {
    chunk(bytes, emit) {
      if (over) return
      const whole = partial ? concat([partial, bytes]) : bytes
      partial = undefined
      const end = lastBoundary(whole)
      if (end === whole.length || whole.length > eventBound) {
        inside = end < whole.length
        return pass(whole, emit)
      }
      if (end > 0) {
        inside = false
        pass(whole.subarray(0, end), emit)
      }
      partial = whole.subarray(end)
    },
    end(emit) {
      if (partial && (inside || isReadable(partial))) pass(concat([partial, blankLine]), emit)
      if (over) return
      const state = readTail(tail)
      if (state === 'finished') emit(done)
      else if (state === 'cut') breakOff(truncated(), emit)
    },
    fail(error, emit) {
      // A stream that told its end, or its error, has nothing to add.
      if (!over && readTail(tail) !== 'done') breakOff(asGatewayError(error), emit)
    },
  }
}

const blankLine = new TextEncoder().encode('\n\n')

/** The index behind the last blank line: everything before it is whole events. */
function lastBoundary(bytes: Uint8Array): number {
  for (let at = bytes.length - 1; at > 0; at--) {
    if (bytes[at] === 10 && (bytes[at - 1] === 10 || (bytes[at - 1] === 13 && bytes[at - 2] === 10))) return at + 1
    if (bytes[at] === 13 && bytes[at - 1] === 13) return at + 1
  }
  return 0
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

/** `done`: told by the upstream itself, by `[DONE]` or an error; `finished`: all but that; `cut`: no finish reason. */
function readTail(tail: readonly Uint8Array[]): 'done' | 'finished' | 'cut' {
  const reader = new EventReader()
  let finished = false
  let ended = false
  for (const { data } of [...reader.read(concat(tail)), ...reader.end()]) {
    if (data === '[DONE]') {
      ended = true
      continue
    }
    const chunk = tryParse(data)
    if (!isObject(chunk)) continue
    if (chunk.error) return 'done'
    const choices = Array.isArray(chunk.choices) ? chunk.choices : []
    finished ||= choices.some((choice) => isObject(choice) && Boolean(choice.finish_reason))
  }
  if (!finished) return 'cut'
  return ended ? 'done' : 'finished'
}

function truncated(): GatewayError {
  return new GatewayError('protocol', 'The upstream ended its stream before the answer was finished.', {
    code: 'upstream_stream_truncated',
  })
}

/** In a stream every failure is the server's: the status has gone out long ago. */
function errorFrame(error: GatewayError): Uint8Array {
  return frame(errorEnvelope(error))
}
