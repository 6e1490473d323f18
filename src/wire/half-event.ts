import { Block } from './block.ts'
import { lastBoundary } from './sse.ts'

/** Keeps what has come of an event that isn't whole yet. */
export class HalfEvent {
  readonly #half = new Block()
  #last = 0
  #lastButOne = 0

  get size(): number {
    return this.#half.size
  }

  /** Returns the events that `bytes` complete; undefined if there are none. */
  add(bytes: Uint8Array): Uint8Array | undefined {
    if (bytes.length === 0) return undefined
    const end = lastBoundary(bytes, this.#last, this.#lastButOne)
    this.#lastButOne = bytes.length > 1 ? (bytes[bytes.length - 2] as number) : this.#last
    this.#last = bytes[bytes.length - 1] as number
    this.#half.add(end > 0 ? bytes.subarray(0, end) : bytes)
    if (end === 0) return undefined
    const whole = this.#half.take()
    this.#half.add(bytes.subarray(end))
    return whole
  }

  /** Returns what there is of it, and forgets that. */
  take(): Uint8Array {
    return this.#half.take()
  }
}
