import { isObject, type JsonObject, tryParse } from './json.ts'
import { done, frame } from './sse.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder('latin1')

/**
 * Returns what must follow `half`, the start of an event that was cut anywhere, so that the reader gets a whole event
 * and then learns how the stream ended: with the error of `envelope`, or well. Closes the JSON where it was cut and
 * adds the error as a member, because a parser that fails on half an event never reaches the next one.
 */
export function afterHalf(half: Uint8Array, envelope?: JsonObject): Uint8Array {
  return after(half, envelope ? frame(envelope) : done, envelope && { member: envelope, says: '' })
}

/**
 * The same for a stream whose events have types, and which ends with `ending`. Half of one may have its type and not what
 * belongs to it, or say that all is done: it becomes one that says nothing, as OpenAI itself sends them.
 */
export function afterTypedHalf(half: Uint8Array, ending: Uint8Array): Uint8Array {
  return after(half, ending, { member: { type: 'keepalive' }, says: '\nevent: keepalive' })
}

interface Added {
  /** The last member of half an event. */
  readonly member: JsonObject
  /** What follows its line; empty if the member says how the stream ended. */
  readonly says: string
}

function after(half: Uint8Array, ending: Uint8Array, added?: Added): Uint8Array {
  const line = /(?:^|[\r\n])data(?::| ?$) ?([^\r\n]*)$/.exec(decoder.decode(half))
  // A line that has ended is complete, and readers skip lines with other fields.
  if (!line) return bytesOf('\n\n', ending)
  const [matched, data = ''] = line
  const colon = matched.endsWith('data') ? ':' : ''
  const isOneLine = ending[0] === 'd'.charCodeAt(0)
  if (data.trim() === '')
    return isOneLine ? bytesOf(colon, ending.subarray('data:'.length)) : bytesOf(colon, '\n\n', ending)
  if ('[DONE]'.startsWith(data))
    return bytesOf(`${'[DONE]'.slice(data.length)}\n\n`, ending === done ? undefined : ending)
  const closing = closeJson(data, added?.member)
  const { says } = (closing && added) || {}
  return bytesOf(restOfCharacter(half), `${closing ?? ''}${says ?? ''}\n\n`, says === '' ? undefined : ending)
}

function bytesOf(...pieces: readonly (string | Uint8Array | undefined)[]): Uint8Array {
  return Uint8Array.from(
    pieces.flatMap((piece = '') => [...(typeof piece === 'string' ? encoder.encode(piece) : piece)]),
  )
}

/** The bytes missing from a character that was cut at the end; which character results doesn't matter. */
function restOfCharacter(bytes: Uint8Array): Uint8Array {
  for (let back = 1; back <= 3; back++) {
    const byte = bytes[bytes.length - back] ?? 0
    if (byte < 0x80) break
    if (byte < 0xc0) continue
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2
    const rest = new Uint8Array(Math.max(0, length - back)).fill(0x80)
    // The second byte of these must not be lower.
    if (back === 1 && byte === 0xe0) rest[0] = 0xa0
    if (back === 1 && byte === 0xf0) rest[0] = 0x90
    return rest
  }
  return new Uint8Array(0)
}

/** Half events of more characters than this are not closed: models don't send such events token by token. */
const closable = 256 * 1024

/** Texts, even unterminated, and the brackets of containers. */
const structure = /"(?:[^"\\]|\\.)*(?:"|\\?$)|[[\]{}]/gs

/** What a cut key or value may be missing. All are tried in turn; `JSON.parse` finds the one that fits. */
const lacks = [
  '',
  '"',
  ':null',
  '":null',
  'null',
  '"":null',
  '0',
  'rue',
  'ue',
  'e',
  'alse',
  'lse',
  'se',
  'ull',
  'll',
  'l',
]
const escapes = ['\\', '0', '00', '000', '0000']
const endings = [...lacks, ...escapes.flatMap((rest) => [`${rest}"`, `${rest}":null`])]

/**
 * Returns what closes an object that was cut anywhere, with `member` as its last member; an empty text if it is whole.
 * Undefined if the text is no object.
 */
function closeJson(text: string, member: JsonObject | undefined): string | undefined {
  if (text.length > closable) return undefined
  const open: string[] = []
  for (const [piece] of text.matchAll(structure)) {
    if (piece === '{') open.push('}')
    else if (piece === '[') open.push(']')
    else if (piece === '}' || piece === ']') open.pop()
  }
  if (open.length === 0) return isObject(tryParse(text)) ? '' : undefined
  const inner = open.slice(1).reverse().join('')
  const last = member && JSON.stringify(member).slice(1, -1)
  const lasts = last === undefined ? [''] : [`,${last}`, last]
  const closings = endings.flatMap((ending) => lasts.map((last) => `${ending}${inner}${last}}`))
  return closings.find((closing) => {
    const whole = tryParse(text + closing)
    // The member might instead have ended up inside a cut key.
    return isObject(whole) && Object.keys(member ?? {}).every((key) => same(whole[key], member?.[key]))
  })
}

function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}
