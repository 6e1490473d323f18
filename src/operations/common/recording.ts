import { fromBase64 } from '../../wire/base64.ts'

/** Samples of a second at least, each of a byte or more: telephones have 8,000. */
const fewestSamples = 4_000
/** Chunks of a WAV, and tags of an MP3, that are gone through. */
const mostParts = 32
/** Bytes of nothing that may stand before the first frame. */
const mostPadding = 64 * 1024

/**
 * Whether a second of a recording has a thousand bytes or more, so that its bytes are more than the tokens that it is heard
 * as (10 to 32 a second). MP3 has no lower rate, and WAV tells its own; what other formats make of silence has no bound.
 * `type`: its format, or media type. What it really is counts as well, since servers look for themselves.
 */
export function isBoundedRecording(given: string, type: unknown): boolean {
  const [, format] = /^(?:audio\/)?(?:x-|vnd\.)?(wave?|mp3|mpeg)\s*(?:;.*)?$/i.exec(String(type)) ?? []
  if (format === undefined) return false
  const base64 = /\s/.test(given) ? given.replace(/\s+/g, '') : given
  // Some servers pass over what is not base64, so that other bytes would be where they are looked for here.
  if (!/^[\w+/-]*={0,2}$/.test(base64)) return false
  return /^wav/i.test(format) ? isPlainWave(base64) : isMp3(base64)
}

/**
 * Samples of a byte or more each, and enough of them. One chunk before them says so, and for more than two channels it tells
 * their kind further behind.
 */
function isPlainWave(base64: string): boolean {
  let at = 12
  let isPlain: boolean | undefined
  const head = bytesAt(base64, 0, at)
  if (textAt(head, 0) !== 'RIFF' || textAt(head, 8) !== 'WAVE') return false
  for (let chunks = 0; chunks < mostParts; chunks++) {
    const chunk = bytesAt(base64, at, 34)
    if (chunk.length < 8) return false
    const view = new DataView(chunk.buffer)
    const name = textAt(chunk, 0)
    if (name === 'data') return isPlain === true
    if (name === 'fmt ') {
      // Of two, nobody knows which one counts.
      if (isPlain !== undefined || chunk.length < 34) return false
      const [told, samples, bits] = [view.getUint16(8, true), view.getUint32(12, true), view.getUint16(22, true)]
      const format = told === 0xfffe ? view.getUint16(32, true) : told
      isPlain = plainFormats.has(format) && samples >= fewestSamples && bits >= 8
    }
    const size = view.getUint32(4, true)
    at += 8 + size + (size % 2)
  }
  return false
}

/** Whole numbers, broken ones, and the two that telephones have. */
const plainFormats: ReadonlySet<number> = new Set([1, 3, 6, 7])

/** Frames of MPEG's, which may come behind tags with the title and the like, and behind nothing. */
function isMp3(base64: string): boolean {
  let at = 0
  for (let tags = 0; tags < mostParts; tags++) {
    const head = bytesAt(base64, at, 10)
    if (textAt(head, 0, 3) !== 'ID3') break
    // A number of 28 bits in four bytes of seven; one of the flags tells of a foot.
    const size = [6, 7, 8, 9].reduce((sum, place) => sum * 128 + ((head[place] ?? 0) & 127), 0)
    at += 10 + size + ((head[5] ?? 0) & 0x10 ? 10 : 0)
  }
  const bytes = bytesAt(base64, at, mostPadding)
  const first = bytes.findIndex((byte) => byte !== 0)
  return first >= 0 && isFrame(bytes.subarray(first, first + 3))
}

/** Eleven bits that are set, then its version and layer: the third, but no free rate, which may be any. */
function isFrame([first = 0, second = 0, third = 0]: Uint8Array): boolean {
  return first === 255 && (second & 0xe6) === 0xe2 && third >> 4 !== 0
}

/** Some bytes of data in base64, fewer where it ends. */
function bytesAt(base64: string, at: number, length: number): Uint8Array<ArrayBuffer> {
  const from = Math.floor(at / 3)
  const to = Math.ceil((at + length) / 3)
  const text = base64
    .slice(from * 4, to * 4)
    .replaceAll('-', '+')
    .replaceAll('_', '/')
  return (fromBase64(text) ?? new Uint8Array()).slice(at - from * 3, at - from * 3 + length) as Uint8Array<ArrayBuffer>
}

function textAt(bytes: Uint8Array, at: number, length = 4): string {
  return String.fromCharCode(...bytes.subarray(at, at + length))
}
