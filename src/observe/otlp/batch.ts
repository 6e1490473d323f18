const encoder = new TextEncoder()
/** Bytes of the first batch: later ones begin with what the one before took. */
let usual = 64 * 1024

/** What surrounds the spans of a batch, as JSON. */
export interface Frame {
  readonly before: string
  readonly after: string
}

/**
 * Spans on their way, as bytes at once: texts that wait are copied again and again by the garbage collector, and have to be
 * joined in the end, which costs more than making them.
 */
export class Batch {
  readonly #frame: Frame
  #bytes = new Uint8Array(usual)
  #length = 0
  #size = 0

  constructor(frame: Frame) {
    this.#frame = frame
    this.#write(frame.before)
  }

  /** How many spans it has. */
  get size(): number {
    return this.#size
  }

  add(span: string): void {
    this.#write(this.#size++ === 0 ? span : `,${span}`)
  }

  /** All of it. Nothing may be added after this. */
  take(): Uint8Array<ArrayBuffer> {
    this.#write(this.#frame.after)
    usual = this.#bytes.length
    return this.#bytes.subarray(0, this.#length)
  }

  #write(text: string): void {
    // A UTF-16 unit has three bytes at most.
    const least = this.#length + text.length * 3
    if (least > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(least, this.#bytes.length * 2))
      larger.set(this.#bytes.subarray(0, this.#length))
      this.#bytes = larger
    }
    this.#length += encoder.encodeInto(text, this.#bytes.subarray(this.#length)).written
  }
}
