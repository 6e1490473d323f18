/** A range of bytes. */
export interface Span {
  readonly start: number
  readonly end: number
}

export const quote = 34
const backslash = 92

/** `bytes` as 32-bit words; empty if they are not aligned for that. */
export function wordsOf({ buffer, byteOffset, length }: Uint8Array): Int32Array {
  return new Int32Array(buffer, byteOffset & ~3, byteOffset % 4 === 0 ? length >> 2 : 0)
}

/** What is known of a string. `end` is the index after its closing quote, or -1 if it is invalid or never ends. */
export interface Seen {
  readonly end: number
  /** Bytes that its escapes take beyond the characters they stand for; 0 if there are none. */
  readonly surplus: number
  readonly ascii: boolean
}

/** Reads the string whose first character is at `from`; `words` are `bytes` as 32-bit words. */
export function readString(bytes: Uint8Array, words: Int32Array, from: number): Seen {
  const { length } = bytes
  let at = from
  let seen = 0
  let surplus = 0
  while (at < length) {
    if ((at & 3) === 0) {
      let index = at >> 2
      for (; index < words.length; index++) {
        const word = words[index] as number
        if (hasSpecial(word)) break
        seen |= word
      }
      at = index << 2
      if (at >= length) break
    }
    const byte = bytes[at] as number
    if (byte === backslash) {
      const kind = bytes[at + 1] as number
      const size = escapeSizes[kind] as number
      if (size === 0 || (kind === letterU && !isHex(bytes, at + 2))) break
      at += size
      surplus += size - 1
    } else {
      at++
      if (byte === quote) return { end: at, surplus, ascii: (seen & 0x80808080) === 0 }
      if (byte < 32) break
      seen |= byte
    }
  }
  return { end: -1, surplus, ascii: false }
}

/**
 * Whether one of four bytes may be a quote, a backslash or a control character, which makes a subtraction borrow. Only
 * quotes and control characters are below 0x21 once their bit 0x02 is flipped.
 */
function hasSpecial(word: number): boolean {
  const borrows = ((word ^ 0x02020202) - 0x21212121) | ((word ^ 0x5c5c5c5c) - 0x01010101)
  return (borrows & ~word & 0x80808080) !== 0
}

/** The bytes of an escape whose second character this is; 0 if there is none. */
const escapeSizes = new Uint8Array(256)
for (const character of '"\\/bfnrt') escapeSizes[character.charCodeAt(0)] = 2
const letterU = 117
escapeSizes[letterU] = 6

/** Whether there are four hexadecimal digits at `from`. */
function isHex(bytes: Uint8Array, from: number): boolean {
  for (let at = from; at < from + 4; at++) {
    const byte = bytes[at] ?? 0
    const digit = (byte >= 48 && byte <= 57) || (byte >= 65 && byte <= 70) || (byte >= 97 && byte <= 102)
    if (!digit) return false
  }
  return true
}
