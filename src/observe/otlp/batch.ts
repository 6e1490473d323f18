import { TextBytes } from '../../wire/text-bytes.ts'

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
  readonly #text = new TextBytes(usual)
  #size = 0

  constructor(frame: Frame) {
    this.#frame = frame
    this.#text.write(frame.before)
  }

  /** How many spans it has. */
  get size(): number {
    return this.#size
  }

  add(span: string): void {
    this.#text.write(this.#size++ === 0 ? span : `,${span}`)
  }

  /** All of it. Nothing may be added after this. */
  take(): Uint8Array<ArrayBuffer> {
    this.#text.write(this.#frame.after)
    const { bytes, size } = this.#text
    // With some room, as later spans may be longer.
    usual = Math.ceil(size * 1.1)
    return bytes
  }
}
