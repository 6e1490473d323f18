/** Slots tried for each span. Only input crafted for it needs more; such a span is then counted as new. */
const mostTries = 16

/**
 * Tells whether there are more than `most` different texts among spans of some bytes, without making strings. Compares
 * byte by byte and not by hash alone, so that a sender who knows the hash can't make many spans count as one.
 */
export class Distinct {
  readonly #bytes: Uint8Array
  readonly #most: number
  /** Start and end of each of the first spans: most bodies have so few that none must be compared. */
  readonly #first: number[] = []
  /** Pairs of a span's start and end. A start of 0 marks a free slot, since no span starts there. */
  #slots: Int32Array | undefined
  #mask = 0
  #count = 0

  constructor(bytes: Uint8Array, most: number) {
    this.#bytes = bytes
    this.#most = most
  }

  /** Whether there are more than `most`, including the span from `start` (which must be over 0) to `end`. */
  exceeds(start: number, end: number): boolean {
    if (this.#first.length < 2 * this.#most) {
      this.#first.push(start, end)
      return false
    }
    const slots = this.#slots ?? this.#compared()
    this.#add(slots, start, end)
    return this.#count > this.#most
  }

  #compared(): Int32Array {
    const size = 2 ** Math.ceil(Math.log2(2 * this.#most))
    const slots = new Int32Array(2 * size)
    this.#slots = slots
    this.#mask = size - 1
    for (let at = 0; at < this.#first.length; at += 2) {
      this.#add(slots, this.#first[at] as number, this.#first[at + 1] as number)
    }
    return slots
  }

  #add(slots: Int32Array, start: number, end: number): void {
    let slot = this.#hash(start, end)
    for (let tries = 0; tries < mostTries; tries++, slot++) {
      const at = 2 * (slot & this.#mask)
      const other = slots[at] as number
      if (other === 0) {
        slots[at] = start
        slots[at + 1] = end
        break
      }
      if (this.#same(start, end, other, slots[at + 1] as number)) return
    }
    this.#count++
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
