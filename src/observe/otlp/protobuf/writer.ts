const encoder = new TextEncoder()

/** Bytes that are kept free for the length of a message, which is known at its end. */
const usualRoom = 2

/**
 * Writes protobuf's wire format into one growing block. Names of fields are the caller's business: it writes tags as they
 * are. https://protobuf.dev/programming-guides/encoding
 */
export class ProtobufWriter {
  #bytes: Uint8Array<ArrayBuffer>
  #view: DataView<ArrayBuffer>
  #size = 0

  /** `memory`: for what is written, as long as it has room. Nothing of what is in it is read. */
  constructor(memory: ArrayBuffer) {
    this.#bytes = new Uint8Array(memory)
    this.#view = new DataView(memory)
  }

  /** In bytes. */
  get size(): number {
    return this.#size
  }

  /** All bytes. A view, valid until the next write. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#size)
  }

  get memory(): ArrayBuffer {
    return this.#bytes.buffer
  }

  /** Takes back all that was written from `size` on. */
  cut(size: number): void {
    this.#size = size
  }

  byte(value: number): void {
    this.#need(1)
    this.#bytes[this.#size++] = value
  }

  /** A whole number from 0 on. */
  varint(value: number): void {
    this.#need(10)
    let rest = value
    while (rest > 0x7f) {
      this.#bytes[this.#size++] = (rest % 0x80) | 0x80
      rest = rest < 0x8000_0000 ? rest >>> 7 : Math.floor(rest / 0x80)
    }
    this.#bytes[this.#size++] = rest
  }

  /** Any whole number: what is below 0 has ten bytes. */
  int64(value: number): void {
    if (value >= 0) this.varint(value)
    else {
      let rest = BigInt.asUintN(64, BigInt(value))
      for (; rest > 0x7fn; rest >>= 7n) this.byte(Number(rest & 0x7fn) | 0x80)
      this.byte(Number(rest))
    }
  }

  fixed32(value: number): void {
    this.#need(4)
    this.#view.setUint32(this.#size, value, true)
    this.#size += 4
  }

  /** A whole number from 0 on. */
  fixed64(value: number): void {
    this.#halves(value, Math.floor(value / 2 ** 32))
  }

  /** Milliseconds as OTLP has times: in nanoseconds, which are more than a number can hold, and no finer than microseconds. */
  time(ms: number): void {
    const all = Math.round(ms * 1000)
    const high = Math.floor(all / 2 ** 32)
    const low = (all - high * 2 ** 32) * 1000
    this.#halves(low, high * 1000 + Math.floor(low / 2 ** 32))
  }

  double(value: number): void {
    this.#need(8)
    this.#view.setFloat64(this.#size, value, true)
    this.#size += 8
  }

  /** Bytes that were written before, as they are. */
  piece(bytes: Uint8Array): void {
    this.#need(bytes.length)
    this.#bytes.set(bytes, this.#size)
    this.#size += bytes.length
  }

  /** An id of hexadecimal digits, two of them for each byte. */
  id(digits: string): void {
    this.#need(digits.length / 2)
    const bytes = this.#bytes
    let size = this.#size
    for (let at = 0; at < digits.length; at += 2) {
      bytes[size++] = (nibble(digits.charCodeAt(at)) << 4) | nibble(digits.charCodeAt(at + 1))
    }
    this.#size = size
  }

  /** A text with its length before it. Half characters become U+FFFD. */
  text(text: string): void {
    // A UTF-16 unit has three bytes at most.
    this.#need(text.length * 3 + 5)
    const at = this.#size
    this.varint(text.length)
    if (this.#ascii(text)) return
    this.#size = at
    const start = this.open()
    this.#size += encoder.encodeInto(text, this.#bytes.subarray(this.#size)).written
    this.close(start, usualRoom)
  }

  /** Begins a message whose length isn't known yet. `close` takes what it returns, and the same `room`. */
  open(room = usualRoom): number {
    this.#need(room)
    this.#size += room
    return this.#size
  }

  /** Ends a message. It is moved if its length has another size than was thought. */
  close(start: number, room = usualRoom): void {
    const length = this.#size - start
    const at = start - room
    const moved = at + sizeOf(length)
    if (moved !== start) {
      this.#need(moved - start)
      this.#bytes.copyWithin(moved, start, start + length)
    }
    this.#size = at
    this.varint(length)
    this.#size += length
  }

  /** Whether all characters were ASCII, as almost all are: a loop is faster than a call of the encoder for short ones. */
  #ascii(text: string): boolean {
    const bytes = this.#bytes
    let size = this.#size
    let all = 0
    for (let at = 0; at < text.length; at++) {
      const unit = text.charCodeAt(at)
      all |= unit
      bytes[size++] = unit
    }
    this.#size = size
    return all < 0x80
  }

  /** `low`: its last 32 bits are written. */
  #halves(low: number, high: number): void {
    this.#need(8)
    this.#view.setUint32(this.#size, low, true)
    this.#view.setUint32(this.#size + 4, high, true)
    this.#size += 8
  }

  #need(more: number): void {
    if (this.#size + more > this.#bytes.length) this.#grow(this.#size + more)
  }

  #grow(least: number): void {
    const larger = new Uint8Array(Math.max(least, this.#bytes.length * 2))
    larger.set(this.#bytes)
    this.#bytes = larger
    this.#view = new DataView(larger.buffer)
  }
}

/** Bytes of a number as a varint. */
export function sizeOf(value: number): number {
  let size = 1
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 0x80)) size++
  return size
}

/** Of a hexadecimal digit in lower case. Letters have the seventh bit, and begin at 1. */
function nibble(digit: number): number {
  return (digit & 15) + (digit >> 6) * 9
}
