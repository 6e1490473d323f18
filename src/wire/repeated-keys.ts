import { keyAt } from './members.ts'
import { quote, readString, wordsOf } from './strings.ts'

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
      const seen = readString(bytes, words, at + 1)
      if (keys && isBeforeColon(bytes, seen.end)) {
        const key = keyAt(bytes, at, seen)
        if (keys.has(key)) return key
        keys.add(key)
      }
      at = seen.end - 1
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
