import { concat } from '../wire/block.ts'
import { isObject, tryParse } from '../wire/json.ts'
import type { Stored } from './answers.ts'

/** Grows whenever answers are written down in another way. */
const version = 1
const LF = 10

/** An answer as bytes: a line of JSON about it, and its body. */
export function encodeStored({ body, ...about }: Stored): Uint8Array {
  return concat([encoder.encode(`${JSON.stringify({ version, ...about })}\n`), body])
}

/** Undefined if it was written down in another way. */
export function decodeStored(bytes: Uint8Array): Stored | undefined {
  const end = bytes.indexOf(LF)
  const about = end < 0 ? undefined : tryParse(decoder.decode(bytes.subarray(0, end)))
  if (!isObject(about) || about.version !== version) return undefined
  const { version: _, ...facts } = about
  return { ...(facts as unknown as Omit<Stored, 'body'>), body: bytes.subarray(end + 1) }
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()
