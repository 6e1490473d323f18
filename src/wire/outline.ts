import { Effort, type EffortLimits } from './effort.ts'
import { quote, readString, type Span, wordsOf } from './strings.ts'
import { utf8Length } from './utf8.ts'

/** Texts and runs of blanks that are longer than this, in bytes, are left out. */
export const longText = 512

/** A JSON text without its long strings and blanks: enough to decide where a large request goes. */
export interface Outline {
  /** JSON with a mark in place of each long string, which says its length: see `textLength`. */
  readonly text: string
  /** The value of the only key `model`, at any depth, if it is a string and no escaped key could also spell `model`. */
  readonly model: Span | undefined
}

/** A mark, which tells of an address with data how it begins. If a client's own text looks like one, only the token estimate of that client's request is wrong. */
const mark = /^\0\d{1,9}(data:[\w/.+;=-]{0,43})?$/i

/** How many characters the original of an outline's string has. */
export function textLength(text: string): number {
  return text.charCodeAt(0) === 0 && mark.test(text) ? Number.parseInt(text.slice(1), 10) : text.length
}

/** A string of an outline as it may be shown: its length in place of a mark. */
export function shownText(text: string): string {
  const length = textLength(text)
  return length === text.length ? text : `(${length} characters)`
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Reads JSON once, byte by byte, without creating strings for its long texts: parsing a large request would take twice
 * the time and several times its memory, and its original bytes are sent on anyway. Returns undefined if it is not
 * JSON; what is outside strings is left to `JSON.parse` to check. Throws a TypeError if it is not UTF-8, and a 400 if
 * parsing it would take too long.
 */
export function outlineOf(bytes: Uint8Array, limits?: EffortLimits): Outline | undefined {
  const words = wordsOf(bytes)
  const effort = new Effort(bytes, limits)
  const pieces: string[] = []
  let model: Span | undefined
  let modelKeys = 0
  let escapedKey = false
  /** The end of the key `model` if that was the last string, otherwise -1. */
  let keyEnd = -1
  let kept = 0
  let at = 0
  for (;;) {
    for (; at < bytes.length; at++) {
      const byte = bytes[at] as number
      if (byte === quote) break
      // Only commas (44) and brackets (over 90) count; blanks, digits and letters cost no more than their bytes.
      if (byte === 44 || byte > 90) effort.mark(byte)
      else if (byte <= 32) {
        const from = at
        while ((bytes[at + 1] as number) <= 32) at++
        if (at - from <= longText) continue
        pieces.push(decoder.decode(bytes.subarray(kept, from)))
        kept = at
      }
    }
    if (at >= bytes.length) break
    const open = at
    const { end, surplus, ascii } = readString(bytes, words, open + 1)
    if (end < 0) return undefined
    at = end
    const isKey = followedByColon(bytes, end)
    if (isKey) effort.key(open, end)
    else effort.text()
    // A key is followed by its value; if that is no string, the next string is another key or inside a list.
    const isValueOfModel = keyEnd >= 0 && !isKey && followsColon(bytes, keyEnd, open)
    if (isValueOfModel) model = { start: open, end }
    keyEnd = isKey && isModel(bytes, open, end) ? end : -1
    if (keyEnd >= 0) modelKeys++
    if (isKey) escapedKey ||= surplus > 0
    else if (!isValueOfModel && end - open > longText) {
      const characters = ascii ? end - open : utf8Length(bytes, open, end)
      if (characters < 0) throw new TypeError('not UTF-8')
      pieces.push(
        decoder.decode(bytes.subarray(kept, open)),
        `"\\u0000${characters - 2 - surplus}${dataHead(bytes, open + 1)}"`,
      )
      kept = end
    }
  }
  pieces.push(decoder.decode(bytes.subarray(kept)))
  return { text: pieces.join(''), model: escapedKey || modelKeys !== 1 ? undefined : model }
}

/** How data in an address begins: what it is. */
function dataHead(bytes: Uint8Array, start: number): string {
  const [head = ''] = /^data:[\w/.+;=-]*/i.exec(String.fromCharCode(...bytes.subarray(start, start + 48))) ?? []
  return head
}

/** Whether there is nothing but a colon and blanks between a key and what follows. */
function followsColon(bytes: Uint8Array, keyEnd: number, start: number): boolean {
  for (let at = keyEnd; at < start; at++) if ((bytes[at] as number) > 32 && bytes[at] !== 58) return false
  return true
}

function followedByColon(bytes: Uint8Array, from: number): boolean {
  let at = from
  while (at < bytes.length && (bytes[at] as number) <= 32) at++
  return bytes[at] === 58
}

/** Whether the string is `"model"`. */
function isModel(bytes: Uint8Array, open: number, end: number): boolean {
  return (
    end - open === 7 &&
    bytes[open + 1] === 109 &&
    bytes[open + 2] === 111 &&
    bytes[open + 3] === 100 &&
    bytes[open + 4] === 101 &&
    bytes[open + 5] === 108
  )
}
