import { fromBase64 } from '../../wire/base64.ts'

/** Samples of a second at least, each of a byte or more: telephones have 8,000. */
const fewestSamples = 4_000

/**
 * Whether a second of a recording has a thousand bytes or more, so that its bytes are more than the tokens that it is heard
 * as (10 to 32 a second). MP3 has no lower rate, and WAV tells its own; what other formats make of silence has no bound.
 * `type`: its format, or media type. What it really is counts as well, since servers look for themselves.
 */
export function isBoundedRecording(base64: string, type: unknown): boolean {
  const [, format] = /^(?:audio\/)?(?:x-|vnd\.)?(wave?|mp3|mpeg)$/i.exec(String(type)) ?? []
  // Some servers pass over what is not base64, so that other bytes would be where they are looked for here.
  if (format === undefined || !/^[\w+/-]*={0,2}$/.test(base64)) return false
  return /^wav/i.test(format) ? isPlainWave(base64) : isMp3(base64)
}

/**
 * Uncompressed samples, whole or broken numbers, and enough of them. The chunk that says so may come behind others, and
 * for more than two channels it tells their kind further behind.
 */
function isPlainWave(base64: string): boolean {
  let at = 12
  const head = bytesAt(base64, 0, at)
  if (textAt(head, 0) !== 'RIFF' || textAt(head, 8) !== 'WAVE') return false
  for (let chunks = 0; chunks < 8; chunks++) {
    const chunk = bytesAt(base64, at, 34)
    if (chunk.length < 34) return false
    const view = new DataView(chunk.buffer)
    if (textAt(chunk, 0) === 'fmt ') {
      const [told, samples, bits] = [view.getUint16(8, true), view.getUint32(12, true), view.getUint16(22, true)]
      const format = told === 0xfffe ? view.getUint16(32, true) : told
      return (format === 1 || format === 3) && samples >= fewestSamples && bits >= 8
    }
    const size = view.getUint32(4, true)
    at += 8 + size + (size % 2)
  }
  return false
}

/** A frame of MPEG's, which may come behind a tag with the title and the like. */
function isMp3(base64: string): boolean {
  const head = bytesAt(base64, 0, 10)
  if (textAt(head, 0, 3) !== 'ID3') return isFrame(head)
  // A number of 28 bits in four bytes of seven.
  const size = [6, 7, 8, 9].reduce((sum, at) => sum * 128 + ((head[at] ?? 0) & 127), 0)
  return isFrame(bytesAt(base64, 10 + size, 3))
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
