import { GatewayError } from './errors.ts'
import { tryParse } from './json.ts'

/** One event of a stream: its `data` lines joined, and its `event` name where one was given. */
export interface ServerEvent {
  readonly data: string
  readonly event?: string
}

/** Characters of one line: an image in base64 fits. */
const lineBound = 32 * 1024 * 1024

/**
 * Reads server-sent events from bytes cut anywhere, even inside a character or a CRLF. Comments and unknown fields
 * are skipped. https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
 */
export class EventReader {
  readonly #decoder = new TextDecoder()
  /** The pieces of a line that has not ended yet, and their length. */
  #pieces: string[] = []
  #length = 0
  /** The last line ended in CR: an LF that follows belongs to it. */
  #afterCR = false
  #data: string[] = []
  #event: string | undefined

  /** The events that `bytes` complete. Throws a `GatewayError` at a line that has no end. */
  read(bytes: Uint8Array): ServerEvent[] {
    return this.#lines(this.#decoder.decode(bytes, { stream: true }))
  }

  /** The event that the end of the stream completes: servers forget the last blank line. */
  end(): ServerEvent[] {
    return this.#lines(`${this.#decoder.decode()}\n\n`)
  }

  #lines(text: string): ServerEvent[] {
    const events: ServerEvent[] = []
    let at = this.#afterCR && text.startsWith('\n') ? 1 : 0
    if (text !== '') this.#afterCR = false
    const lineEnd = /[\r\n]/g
    lineEnd.lastIndex = at
    for (let match = lineEnd.exec(text); match; match = lineEnd.exec(text)) {
      this.#hold(text.slice(at, match.index))
      at = match.index + 1
      if (match[0] === '\r' && text[at] === '\n') at++
      else this.#afterCR = match[0] === '\r' && at === text.length
      lineEnd.lastIndex = at
      this.#line(this.#pieces.join(''), events)
      this.#pieces = []
      this.#length = 0
    }
    if (at < text.length) this.#hold(text.slice(at))
    return events
  }

  #hold(piece: string): void {
    this.#pieces.push(piece)
    this.#length += piece.length
    if (this.#length > lineBound) throw new GatewayError('protocol', 'The upstream sent a line that has no end.')
  }

  #line(line: string, events: ServerEvent[]): void {
    if (line === '') {
      if (this.#data.length > 0) {
        const data = this.#data.join('\n')
        events.push(this.#event === undefined ? { data } : { data, event: this.#event })
      }
      this.#data = []
      this.#event = undefined
      return
    }
    const colon = line.indexOf(':')
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (field === 'data') this.#data.push(value)
    else if (field === 'event') this.#event = value
  }
}

/** What an event holds. Throws what an upstream that sends no JSON has coming: nothing of it is ours to leave out. */
export function parseEvent(data: string): unknown {
  const value = tryParse(data)
  if (value === undefined && data !== '')
    throw new GatewayError('protocol', 'The upstream sent an event that is no JSON.')
  return value
}

const encoder = new TextEncoder()

/** `data: {json}` and a blank line. The space matters: openai-python 0.27 reads nothing without it. */
export function frame(value: unknown): Uint8Array {
  return encoder.encode(`data: ${JSON.stringify(value)}\n\n`)
}

export const done: Uint8Array = encoder.encode('data: [DONE]\n\n')

/** A line that every client skips: the only form of keep-alive that none of them chokes on. */
export function comment(text: string): Uint8Array {
  return encoder.encode(`: ${text.replace(/[\r\n]+/g, ' ')}\n\n`)
}
