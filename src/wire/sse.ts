import { Block } from './block.ts'
import { GatewayError } from './errors.ts'
import { type JsonObject, tryParse } from './json.ts'

/** One event of a stream: its `data` lines joined, and its `event` name if it has one. */
export interface ServerEvent {
  readonly data: string
  readonly event?: string
}

/** Maximum bytes of an event, and of an unfinished line; enough for an image in base64. */
export const eventBound = 32 * 1024 * 1024

/**
 * Reads server-sent events from bytes cut anywhere, even inside a character or a CRLF. Ignores comments and unknown
 * fields. https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
 */
export class EventReader {
  readonly #decoder = new TextDecoder()
  /** The start of a line that has not ended yet. */
  readonly #rest = new Block(eventBound)
  /** The last line ended in CR, so an LF that follows belongs to it. */
  #afterCR = false
  #data: string[] = []
  #dataLength = 0
  #event: string | undefined

  /** Whether the next byte begins a line. */
  get isAtLineStart(): boolean {
    return this.#rest.size === 0
  }

  /** Returns the events that `bytes` complete. Throws a `GatewayError` if an event gets too long. */
  read(bytes: Uint8Array): ServerEvent[] {
    const end = lastLineEnd(bytes)
    if (this.#rest.size + bytes.length > eventBound) throw endless()
    if (end === 0) {
      this.#rest.add(bytes)
      return []
    }
    let lines = end === bytes.length ? bytes : bytes.subarray(0, end)
    if (this.#rest.size > 0) {
      this.#rest.add(lines)
      lines = this.#rest.take()
    }
    if (end < bytes.length) this.#rest.add(bytes.subarray(end))
    // Only whole lines are decoded, so that no character is cut.
    return this.#lines(this.#decoder.decode(lines))
  }

  /** The event that the end of the stream completes: some servers omit the last blank line. */
  end(): ServerEvent[] {
    return this.#lines(`${this.#decoder.decode(this.#rest.take())}\n\n`)
  }

  #lines(text: string): ServerEvent[] {
    const events: ServerEvent[] = []
    let at = this.#afterCR && text.startsWith('\n') ? 1 : 0
    this.#afterCR = false
    const lineEnd = /[\r\n]/g
    lineEnd.lastIndex = at
    for (let match = lineEnd.exec(text); match; match = lineEnd.exec(text)) {
      const line = text.slice(at, match.index)
      at = match.index + 1
      if (match[0] === '\r' && text[at] === '\n') at++
      else this.#afterCR = match[0] === '\r' && at === text.length
      lineEnd.lastIndex = at
      this.#line(line, events)
    }
    return events
  }

  #line(line: string, events: ServerEvent[]): void {
    if (line === '') {
      if (this.#data.length > 0) {
        const data = this.#data.join('\n')
        events.push(this.#event === undefined ? { data } : { data, event: this.#event })
      }
      this.#data = []
      this.#dataLength = 0
      this.#event = undefined
      return
    }
    const colon = line.indexOf(':')
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (field === 'event') this.#event = value
    // llama.cpp's servers of 2025 tell an error in a field of its own: coddy-project/coddy-agent#106.
    if (field === 'error') this.#event = 'error'
    else if (field !== 'data') return
    // Each line, even an empty one, costs an object, hence the 64.
    this.#dataLength += value.length + 64
    if (this.#dataLength > eventBound) throw endless()
    this.#data.push(value.startsWith('data:') ? withoutPrefix(value) : value)
  }
}

/**
 * The data of a line that was made an event twice (paiml/aprender#2015, for streams through a library that adds the
 * prefix itself). No JSON begins so.
 */
function withoutPrefix(value: string): string {
  return value.replace(/^(data:\s*)+/, '')
}

function endless(): GatewayError {
  return new GatewayError('protocol', 'The upstream sent an event that has no end.')
}

/** The failure of a stream that ends, however cleanly, before its answer is complete. */
export function truncated(): GatewayError {
  return new GatewayError('protocol', 'The upstream ended its stream before the answer was finished.', {
    code: 'upstream_stream_truncated',
  })
}

/** The index after the last CR or LF, or 0 if there is none. */
export function lastLineEnd(bytes: Uint8Array): number {
  for (let at = bytes.length; at > 0; at--) {
    const byte = bytes[at - 1]
    if (byte === LF || byte === CR) return at
  }
  return 0
}

export const LF = 10
export const CR = 13
const space = 32

/** The index after the last blank line, or 0: the end of the whole events. `last` and `lastButOne` precede `bytes`. */
export function lastBoundary(bytes: Uint8Array, last = 0, lastButOne = 0): number {
  for (let at = bytes.length - 1; at >= 0; at--) {
    const byte = bytes[at]
    if (byte !== LF && byte !== CR) continue
    const before = at > 0 ? bytes[at - 1] : last
    if (byte === before) return at + 1
    if (byte === CR || before !== CR) continue
    const twoBefore = at > 1 ? bytes[at - 2] : at === 1 ? last : lastButOne
    if (twoBefore === LF) return at + 1
  }
  return 0
}

/** The index after the blank line that ends the event at `from`, or the length of `bytes` if none does. */
export function eventEnd(bytes: Uint8Array, from: number): number {
  let lineStart = true
  for (let at = from; at < bytes.length; at++) {
    const byte = bytes[at]
    if (byte !== LF && byte !== CR) {
      lineStart = false
      continue
    }
    if (byte === CR && bytes[at + 1] === LF) at++
    if (lineStart) return at + 1
    lineStart = true
  }
  return bytes.length
}

/**
 * Whether an event has the form that every client reads: its data in one line, with a space after the colon.
 * openai-python 0.27 reads nothing without the space, and many look for LF only.
 */
export function isPlainFrame(bytes: Uint8Array): boolean {
  let lines = 0
  for (let at = 0; at < bytes.length; at++) {
    if (isAt(bytes, at, dataField)) {
      const value = at + dataField.length + 1
      if (bytes[value - 1] !== space || ++lines > 1 || isAt(bytes, value, dataField)) return false
    } else if (bytes[at] === byteOrderMark) return false
    while (at < bytes.length && bytes[at] !== LF && bytes[at] !== CR) at++
    if (bytes[at] === CR && bytes[++at] !== LF) return false
  }
  return true
}

function isAt(bytes: Uint8Array, at: number, wanted: Uint8Array): boolean {
  return wanted.every((byte, offset) => bytes[at + offset] === byte)
}

const dataField = new TextEncoder().encode('data:')
/** The first byte of a byte order mark. */
const byteOrderMark = 0xef

/** Parses an event's JSON. Throws if it isn't JSON, because no part of an upstream's answer may be dropped silently. */
export function parseEvent(data: string): unknown {
  const value = tryParse(data)
  if (value === undefined && data !== '')
    throw new GatewayError('protocol', 'The upstream sent an event that is no JSON.')
  return value
}

const encoder = new TextEncoder()

/** `data: {json}` and a blank line. openai-python 0.27 reads nothing without the space. */
export function eventText(value: unknown): string {
  return `data: ${JSON.stringify(value)}\n\n`
}

/** The same as bytes. */
export function frame(value: unknown): Uint8Array {
  return encoder.encode(eventText(value))
}

/** An event that says its own type, which is its name too. */
export function typedFrame(event: JsonObject): Uint8Array {
  return encoder.encode(`event: ${event.type}\n${eventText(event)}`)
}

/** An event that was read, in the form that every client reads. */
export function bytesOf({ data, event }: ServerEvent): Uint8Array {
  return encoder.encode(`${event ? `event: ${event}\n` : ''}data: ${data.replace(/[\r\n]+/g, ' ')}\n\n`)
}

export const doneText = 'data: [DONE]\n\n'
export const done: Uint8Array = encoder.encode(doneText)

const colon = 58
const leadingComments = /^(?:(?::[^\r\n]*)?(?:\r\n|\r|\n))+/

/** The comments that `bytes` begin with, if a line begins there: whole ones, in the form that every client skips. */
export function commentsAtStart(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes[0] !== colon) return undefined
  const [found = ''] = leadingComments.exec(new TextDecoder().decode(bytes)) ?? []
  const lines = found.split(/[\r\n]+/).filter((line) => line !== '')
  return lines.length > 0 ? encoder.encode(lines.map((line) => `${line}\n\n`).join('')) : undefined
}

/** A line that every client skips: the only form of keep-alive that none of them fails on. */
export function comment(text: string): Uint8Array {
  return encoder.encode(`: ${text.replace(/[\r\n]+/g, ' ')}\n\n`)
}
