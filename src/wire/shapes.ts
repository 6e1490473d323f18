import { quote, readString, wordsOf } from './strings.ts'

/** The longest event, in bytes, whose shape is kept, and how many shapes: choices and tool calls alternate. */
const longest = 4 * 1024
const most = 4

/** An event of a stream without its texts: the bytes before, between and after them. */
type Shape = readonly Uint8Array[]

/**
 * Recognises events that differ from an earlier one only in some texts, as nearly all events of a stream do. Comparing
 * their bytes costs a quarter of parsing them and proves as much: that the event is valid JSON with the same meaning.
 */
export class Shapes {
  readonly #texts: ReadonlySet<string>
  #shapes: readonly Shape[] = []

  /** `texts`: the keys whose string values may differ. */
  constructor(texts: ReadonlySet<string>) {
    this.#texts = texts
  }

  /** The index after the event at `from` if it has a known shape, otherwise -1. */
  match(bytes: Uint8Array, from: number): number {
    for (const shape of this.#shapes) {
      const end = matchShape(shape, bytes, from)
      if (end >= 0) return end
    }
    return -1
  }

  /** Keeps the shape of a whole event: one `data` line of valid JSON and its blank line. */
  learn(event: Uint8Array): void {
    if (event.length > longest) return
    const shape = shapeOf(event, this.#texts)
    if (shape) this.#shapes = [shape, ...this.#shapes.slice(0, most - 1)]
  }
}

/** Texts of a chunk are short: creating a word view would cost more than it saves. */
const noWords = new Int32Array(0)

function matchShape(shape: Shape, bytes: Uint8Array, from: number): number {
  let at = from
  for (let index = 0; index < shape.length; index++) {
    const part = shape[index] as Uint8Array
    if (index > 0) {
      // The text between two parts starts after a quote and ends before one.
      const { end } = readString(bytes, noWords, at)
      if (end < 0) return -1
      at = end - 1
    }
    const { length } = part
    if (at + length > bytes.length) return -1
    for (let offset = 0; offset < length; offset++) if (bytes[at + offset] !== part[offset]) return -1
    at += length
  }
  return at
}

function shapeOf(event: Uint8Array, texts: ReadonlySet<string>): Shape | undefined {
  const words = wordsOf(event)
  const parts: Uint8Array[] = []
  let kept = 0
  let key = ''
  for (let at = event.indexOf(quote); at >= 0; at = event.indexOf(quote, at)) {
    const { end } = readString(event, words, at + 1)
    if (end < 0) return undefined
    if (event[skipSpace(event, end)] === colon) key = nameIn(event, at + 1, end - 1)
    else if (texts.has(key)) {
      parts.push(copyOf(event, kept, at + 1))
      kept = end - 1
      key = ''
    } else key = ''
    at = end
  }
  parts.push(copyOf(event, kept, event.length))
  return parts
}

/** A real copy: `slice` of a Node buffer is a view, which would keep the whole read buffer in memory. */
function copyOf(bytes: Uint8Array, from: number, to: number): Uint8Array {
  return new Uint8Array(bytes.subarray(from, to))
}

const colon = 58

function skipSpace(bytes: Uint8Array, from: number): number {
  let at = from
  while (bytes[at] === 32) at++
  return at
}

/** A key with escapes or non-ASCII characters never equals one that is looked for. */
function nameIn(bytes: Uint8Array, from: number, to: number): string {
  return String.fromCharCode(...bytes.subarray(from, Math.min(to, from + 64)))
}
