/**
 * Whether the bytes from `start` to `end` are UTF-8, without making a text of them. The table of well-formed sequences:
 * https://www.unicode.org/versions/Unicode16.0.0/core-spec/chapter-3/#G27506
 */
export function isUtf8(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start
  while (at < end) {
    const lead = bytes[at] as number
    at++
    if (lead < 0x80) continue
    if (lead < 0xc2 || lead > 0xf4) return false
    // The first byte that follows is bounded more closely: no overlong forms, no surrogates, nothing over U+10FFFF.
    const least = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80
    const most = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf
    const length = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3
    if (at + length > end || !isWithin(bytes[at], least, most)) return false
    for (let more = 1; more < length; more++) if (!isWithin(bytes[at + more], 0x80, 0xbf)) return false
    at += length
  }
  return true
}

function isWithin(byte: number | undefined, least: number, most: number): boolean {
  return byte !== undefined && byte >= least && byte <= most
}
