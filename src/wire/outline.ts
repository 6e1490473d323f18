import { Effort } from './effort.ts'
import { quote, readString, type Span, wordsOf } from './strings.ts'
import { utf8Length } from './utf8.ts'

/** Bytes of a text, or of blanks, beyond which they are left out. */
export const longText = 512

/** A JSON text with its long strings and blanks left out: what it takes to decide where a large request goes. */
export interface Outline {
  /** JSON, in which a mark with its length stands for each long string: see `textLength`. */
  readonly text: string
  /** The value of the only key named `model`, at any depth, if it is a string and no other key might spell it. */
  readonly model: Span | undefined
}

/** A mark. A client's own text that looks like one misleads nobody but its sender, about the tokens that it needs. */
const mark = /^\0\d{1,9}$/

/** How many characters a string of an outline had. */
export function textLength(text: string): number {
  return text.charCodeAt(0) === 0 && mark.test(text) ? Number(text.slice(1)) : text.length
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Reads JSON once, byte by byte, without making strings of its long texts: parsing a large request would cost twice
 * the time and several times its memory, and it goes on as the bytes that it came as. Undefined when it is no JSON;
 * what stands between the strings is for `JSON.parse` to judge. Throws a TypeError where it is not UTF-8, and the 400
 * of a body that would hold a parser for too long.
 */
export function outlineOf(bytes: Uint8Array): Outline | undefined {
  const words = wordsOf(bytes)
  const effort = new Effort(bytes)
  const pieces: string[] = []
  let model: Span | undefined
  let modelKeys = 0
  let escapedKey = false
  /** Behind the key `model`, where that was the last string. */
  let keyEnd = -1
  let kept = 0
  let at = 0
  for (;;) {
    for (; at < bytes.length; at++) {
      const byte = bytes[at] as number
      if (byte === quote) break
      // Digits, letters and spaces ask for nothing beyond their bytes: the marks stand below and above them.
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
    // What follows a key is its value, unless that is no string: then it is another key, or the inside of a list.
    const isValueOfModel = keyEnd >= 0 && !isKey && followsColon(bytes, keyEnd, open)
    if (isValueOfModel) model = { start: open, end }
    keyEnd = isKey && isModel(bytes, open, end) ? end : -1
    if (keyEnd >= 0) modelKeys++
    if (isKey) escapedKey ||= surplus > 0
    else if (!isValueOfModel && end - open > longText) {
      const characters = ascii ? end - open : utf8Length(bytes, open, end)
      if (characters < 0) throw new TypeError('not UTF-8')
      pieces.push(decoder.decode(bytes.subarray(kept, open)), `"\\u0000${characters - 2 - surplus}"`)
      kept = end
    }
  }
  pieces.push(decoder.decode(bytes.subarray(kept)))
  return { text: pieces.join(''), model: escapedKey || modelKeys !== 1 ? undefined : model }
}

/** Whether nothing but a colon and spaces stand between a key and what follows. */
function followsColon(bytes: Uint8Array, keyEnd: number, start: number): boolean {
  for (let at = keyEnd; at < start; at++) if ((bytes[at] as number) > 32 && bytes[at] !== 58) return false
  return true
}

function followedByColon(bytes: Uint8Array, from: number): boolean {
  let at = from
  while (at < bytes.length && (bytes[at] as number) <= 32) at++
  return bytes[at] === 58
}

/** Whether `"model"` stands there. */
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
