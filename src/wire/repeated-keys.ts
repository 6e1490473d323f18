import { quote, readString, wordsOf } from './strings.ts'

const decoder = new TextDecoder()
const [openBrace, closeBrace, colon, openBracket, closeBracket] = [123, 125, 58, 91, 93]

/**
 * A key that an object of `bytes` has twice, at any depth; undefined: none has. They must already be known to be valid
 * JSON. Parsers disagree about which of the two counts.
 */
export function repeatedKey(bytes: Uint8Array): string | undefined {
  const words = wordsOf(bytes)
  const around: (Set<string> | undefined)[] = []
  let keys: Set<string> | undefined
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]
    if (byte === quote) {
      const { end, surplus, ascii } = readString(bytes, words, at + 1)
      if (keys && isBeforeColon(bytes, end)) {
        const key = ascii && surplus === 0 ? plain(bytes, at + 1, end - 1) : spelt(bytes, at, end)
        if (keys.has(key)) return key
        keys.add(key)
      }
      at = end - 1
    } else if (byte === openBrace || byte === openBracket) {
      around.push(keys)
      keys = byte === openBrace ? new Set() : undefined
    } else if (byte === closeBrace || byte === closeBracket) keys = around.pop()
  }
  return undefined
}

function isBeforeColon(bytes: Uint8Array, from: number): boolean {
  let at = from
  while ((bytes[at] as number) <= 32) at++
  return bytes[at] === colon
}

function plain(bytes: Uint8Array, start: number, end: number): string {
  let key = ''
  for (let at = start; at < end; at++) key += String.fromCharCode(bytes[at] as number)
  return key
}

function spelt(bytes: Uint8Array, start: number, end: number): string {
  return JSON.parse(decoder.decode(bytes.subarray(start, end))) as string
}
