/** Slots that are tried for a span. Only spans made for it need more, and are then taken for new. */
const mostTries = 16

/**
 * Counts the different spellings among spans of some bytes, without making texts of them. Spans are compared byte by
 * byte, not by a hash alone: a sender who knows the hash can't pass many for one.
 */
export class Distinct {
  count = 0
  readonly #bytes: Uint8Array
  /** Where a span starts, and behind it where it ends; 0 where there is none, since no span starts there. */
  readonly #slots: Int32Array
  readonly #mask: number

  /** `most`: the different spans that are worth counting. */
  constructor(bytes: Uint8Array, most: number) {
    const size = 2 ** Math.ceil(Math.log2(2 * most))
    this.#bytes = bytes
    this.#slots = new Int32Array(2 * size)
    this.#mask = size - 1
  }

  /** Counts the bytes from `start`, which is over 0, to `end` unless they have been counted. */
  add(start: number, end: number): void {
    let slot = this.#hash(start, end)
    for (let tries = 0; tries < mostTries; tries++, slot++) {
      const at = 2 * (slot & this.#mask)
      const other = this.#slots[at] as number
      if (other === 0) {
        this.#slots[at] = start
        this.#slots[at + 1] = end
        break
      }
      if (this.#same(start, end, other, this.#slots[at + 1] as number)) return
    }
    this.count++
  }

  #hash(start: number, end: number): number {
    let hash = 0x811c9dc5
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ (this.#bytes[at] as number), 0x01000193)
    return hash ^ (hash >>> 15)
  }

  #same(start: number, end: number, other: number, otherEnd: number): boolean {
    if (end - start !== otherEnd - other) return false
    for (let at = start, to = other; at < end; at++, to++) if (this.#bytes[at] !== this.#bytes[to]) return false
    return true
  }
}
