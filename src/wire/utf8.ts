/**
 * How many UTF-16 units the bytes from `start` to `end` decode to, without creating a string; -1 if they are not UTF-8.
 * The table of well-formed sequences: https://www.unicode.org/versions/Unicode16.0.0/core-spec/chapter-3/#G27506
 */
export function utf8Length(bytes: Uint8Array, start: number, end: number): number {
  let units = 0
  let at = start
  while (at < end) {
    const lead = bytes[at] as number
    at++
    units++
    if (lead < 0x80) continue
    if (lead < 0xc2 || lead > 0xf4) return -1
    // The second byte has a narrower range: no overlong forms, no surrogates, nothing over U+10FFFF.
    const least = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80
    const most = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf
    const length = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3
    if (at + length > end || !isWithin(bytes[at], least, most)) return -1
    for (let more = 1; more < length; more++) if (!isWithin(bytes[at + more], 0x80, 0xbf)) return -1
    if (length === 3) units++
    at += length
  }
  return units
}

function isWithin(byte: number | undefined, least: number, most: number): boolean {
  return byte !== undefined && byte >= least && byte <= most
}
