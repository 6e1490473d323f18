import { quote, readString, wordsOf } from './strings.ts'

/** The longest event, in bytes, whose shape is kept, and how many shapes: choices and tool calls alternate. */
const longest = 4 * 1024
const most = 4

/**
 * An event of a stream without its texts and numbers. A text is left out between its quotes, so the byte before tells
 * what was left out.
 */
export interface Shape {
  /** The bytes before, between and after them. */
  readonly parts: readonly Uint8Array[]
  /** The part before the text that is joined; -1 if there is none. */
  readonly joined: number
}

/** The keys whose values may differ: strings, and whole numbers from 0 on. */
export interface Differing {
  readonly texts: ReadonlySet<string>
  readonly numbers?: ReadonlySet<string>
  /** The one of `texts` whose pieces, from event to event, are one text. Absent: nobody needs it. */
  readonly joined?: string
}

/**
 * Recognises events that differ from an earlier one only in some texts and numbers, as nearly all events of a stream do.
 * Comparing their bytes costs a quarter of parsing them and proves as much: that the event is valid JSON with the same
 * meaning.
 */
export class Shapes {
  readonly #differing: Differing
  #shapes: readonly Shape[] = []
  /** The shape of the last event that had a known one. */
  matched: Shape | undefined

  constructor(differing: Differing) {
    this.#differing = differing
  }

  /** The index after the event at `from` if it has a known shape, otherwise -1. */
  match(bytes: Uint8Array, from: number): number {
    for (const shape of this.#shapes) {
      const end = matchShape(shape, bytes, from)
      if (end < 0) continue
      this.matched = shape
      return end
    }
    return -1
  }

  /** Keeps the shape of a whole event: one `data` line of valid JSON and its blank line. */
  learn(event: Uint8Array): void {
    if (event.length > longest) return
    const shape = shapeOf(event, this.#differing)
    if (shape) this.#shapes = [shape, ...this.#shapes.slice(0, most - 1)]
  }
}

/** Texts of a chunk are short: creating a word view would cost more than it saves. */
const noWords = new Int32Array(0)

function matchShape({ parts }: Shape, bytes: Uint8Array, from: number): number {
  let at = from
  for (let index = 0; index < parts.length; index++) {
    const part = parts[index] as Uint8Array
    if (index > 0) {
      at = bytes[at - 1] === quote ? textEnd(bytes, at) : numberEnd(bytes, at)
      if (at < 0) return -1
    }
    const { length } = part
    if (at + length > bytes.length) return -1
    for (let offset = 0; offset < length; offset++) if (bytes[at + offset] !== part[offset]) return -1
    at += length
  }
  return at
}

/** Where the text that is joined stands in the event at `from`, which has the shape and such a text. */
export function joinedSpan({ parts, joined }: Shape, bytes: Uint8Array, from: number): { start: number; end: number } {
  let at = from
  for (let index = 0; index < joined; index++) {
    at += (parts[index] as Uint8Array).length
    at = bytes[at - 1] === quote ? textEnd(bytes, at) : numberEnd(bytes, at)
  }
  const start = at + (parts[joined] as Uint8Array).length
  return { start, end: textEnd(bytes, start) }
}

/** The index of the quote after the text at `from`; -1 if there is none. */
function textEnd(bytes: Uint8Array, from: number): number {
  const { end } = readString(bytes, noWords, from)
  return end < 0 ? -1 : end - 1
}

/** The index after the number at `from`; -1 if there is none. JSON knows no zeros in front. */
function numberEnd(bytes: Uint8Array, from: number): number {
  let at = from
  while (isDigit(bytes[at])) at++
  return at === from || (at > from + 1 && bytes[from] === zero) ? -1 : at
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= zero && byte <= zero + 9
}

function shapeOf(event: Uint8Array, { texts, numbers, joined: name }: Differing): Shape | undefined {
  const words = wordsOf(event)
  const parts: Uint8Array[] = []
  let joined = -1
  let kept = 0
  let key = ''
  for (let at = event.indexOf(quote); at >= 0; at = event.indexOf(quote, at)) {
    const { end } = readString(event, words, at + 1)
    if (end < 0) return undefined
    const after = skipSpace(event, end)
    if (event[after] === colon) {
      key = nameIn(event, at + 1, end - 1)
      const value = skipSpace(event, after + 1)
      const past = numbers?.has(key) ? numberEnd(event, value) : -1
      if (past > 0) {
        parts.push(copyOf(event, kept, value))
        kept = past
      }
    } else if (texts.has(key)) {
      if (key === name && joined < 0) joined = parts.length
      parts.push(copyOf(event, kept, at + 1))
      kept = end - 1
      key = ''
    } else key = ''
    at = end
  }
  parts.push(copyOf(event, kept, event.length))
  return { parts, joined }
}

/** A real copy: `slice` of a Node buffer is a view, which would keep the whole read buffer in memory. */
function copyOf(bytes: Uint8Array, from: number, to: number): Uint8Array {
  return new Uint8Array(bytes.subarray(from, to))
}

const colon = 58
const zero = 48

function skipSpace(bytes: Uint8Array, from: number): number {
  let at = from
  while (bytes[at] === 32) at++
  return at
}

/** A key with escapes or non-ASCII characters never equals one that is looked for. */
function nameIn(bytes: Uint8Array, from: number, to: number): string {
  return String.fromCharCode(...bytes.subarray(from, Math.min(to, from + 64)))
}
