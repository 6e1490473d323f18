const encoder = new TextEncoder()

/**
 * Gathers texts as UTF-8 in one growing block. A long text that is put together from many pieces costs more when it is
 * sent than its bytes do, and while it waits.
 */
export class TextBytes {
  #bytes: Uint8Array<ArrayBuffer>
  #size = 0

  /** `capacity`: the expected size in bytes. */
  constructor(capacity = 64 * 1024) {
    this.#bytes = new Uint8Array(capacity)
  }

  /** In bytes. */
  get size(): number {
    return this.#size
  }

  write(text: string): void {
    // A UTF-16 unit has three bytes at most.
    const least = this.#size + text.length * 3
    if (least > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(least, this.#bytes.length * 2))
      larger.set(this.#bytes.subarray(0, this.#size))
      this.#bytes = larger
    }
    this.#size += encoder.encodeInto(text, this.#bytes.subarray(this.#size)).written
  }

  /** All bytes. A view, valid until the next `write`. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#size)
  }
}
