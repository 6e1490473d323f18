import { quote, readString, type Seen, wordsOf } from './strings.ts'

/** A member of a JSON object and its position: `bytes.subarray(start, end)` is `"key": value`. */
export interface Member {
  readonly key: string
  readonly start: number
  readonly valueStart: number
  readonly end: number
}

/** Changes to the top-level members of an object. Values are JSON texts, so that nothing has to be decoded. */
export interface Edits {
  readonly set?: ReadonlyMap<string, string>
  readonly drop?: ReadonlySet<string>
}

const decoder = new TextDecoder()
const encoder = new TextEncoder()
const [open, comma, close] = ['{', ',', '}'].map((mark) => encoder.encode(mark)) as [Uint8Array, Uint8Array, Uint8Array]

/** The top-level members of `bytes`, which must already be known to be a valid JSON object. */
export function members(bytes: Uint8Array): Member[] {
  const words = wordsOf(bytes)
  const found: Member[] = []
  let at = skipSpace(bytes, bytes.indexOf(123) + 1)
  while (bytes[at] === quote) {
    const seen = readString(bytes, words, at + 1)
    const keyEnd = seen.end
    const valueStart = skipSpace(bytes, skipSpace(bytes, keyEnd) + 1)
    const end = valueEnd(bytes, words, valueStart)
    found.push({ key: keyAt(bytes, at, seen), start: at, valueStart, end })
    at = skipSpace(bytes, end)
    if (bytes[at] === 44) at = skipSpace(bytes, at + 1)
  }
  return found
}

/**
 * Changes top-level members of `bytes` and keeps every other byte: numbers over 2^53, escapes, key order, duplicate
 * nested keys. New members come first, where routers that read only a prefix find them. Returns pieces; unchanged ones
 * are not copied.
 */
export function edit(bytes: Uint8Array, edits: Edits): readonly Uint8Array[] {
  const all = members(bytes)
  const present = new Set(all.map((member) => member.key))
  const added = [...(edits.set ?? [])].filter(([key]) => !present.has(key))
  const dropping = all.some((member) => edits.drop?.has(member.key))
  if (added.length > 0 || dropping) return rebuild(bytes, all, added, edits)
  const pieces: Uint8Array[] = []
  let copied = 0
  for (const member of all) {
    const value = edits.set?.get(member.key)
    if (value === undefined) continue
    pieces.push(bytes.subarray(copied, member.valueStart), encoder.encode(value))
    copied = member.end
  }
  return [...pieces, bytes.subarray(copied)]
}

/** Adjacent members that stay are kept in one piece, because each piece is written separately. */
function rebuild(bytes: Uint8Array, all: readonly Member[], added: [string, string][], edits: Edits) {
  const pieces: Uint8Array[] = [open]
  const separate = () => pieces.length > 1 && pieces.push(comma)
  for (const [key, value] of added) {
    separate()
    pieces.push(encoder.encode(`${JSON.stringify(key)}:${value}`))
  }
  /** The range that stays but is in no piece yet; `from` is -1 if there is none. */
  let from = -1
  let to = -1
  for (const { key, start, valueStart, end } of all) {
    if (edits.drop?.has(key)) {
      if (from >= 0) pieces.push(bytes.subarray(from, to))
      from = -1
      continue
    }
    if (from < 0) {
      separate()
      from = start
    }
    const value = edits.set?.get(key)
    if (value !== undefined) {
      pieces.push(bytes.subarray(from, valueStart), encoder.encode(value))
      from = end
    }
    to = end
  }
  if (from >= 0) pieces.push(bytes.subarray(from, to))
  return [...pieces, close]
}

/** Keys of up to this many bytes are built faster by hand than by a decoder. */
const plainKey = 32

/** The key whose opening quote is at `start`, escapes decoded. `seen`: what is known of its string. */
export function keyAt(bytes: Uint8Array, start: number, { end, surplus, ascii }: Seen): string {
  if (!ascii || surplus > 0 || end - start > plainKey)
    return JSON.parse(decoder.decode(bytes.subarray(start, end))) as string
  let key = ''
  for (let at = start + 1; at < end - 1; at++) key += String.fromCharCode(bytes[at] as number)
  return key
}

function skipSpace(bytes: Uint8Array, from: number): number {
  let at = from
  while (at < bytes.length && (bytes[at] as number) <= 32) at++
  return at
}

function valueEnd(bytes: Uint8Array, words: Int32Array, start: number): number {
  if (bytes[start] === quote) return readString(bytes, words, start + 1).end
  let depth = 0
  let at = start
  for (; at < bytes.length; at++) {
    const byte = bytes[at] as number
    if (byte === quote) at = readString(bytes, words, at + 1).end - 1
    else if (isOpening(byte)) depth++
    else if (isClosing(byte)) {
      if (depth <= 1) return depth === 1 ? at + 1 : at
      depth--
    } else if (depth === 0 && (byte === 44 || byte <= 32)) return at
  }
  return at
}

const isOpening = (byte: number) => byte === 123 || byte === 91
const isClosing = (byte: number) => byte === 125 || byte === 93
