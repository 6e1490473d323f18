import { Block } from './block.ts'
import { GatewayError } from './errors.ts'
import { eventBound, lastBoundary } from './sse.ts'

/** Cuts a stream's bytes at the ends of its events, and changes none. */
export class WholeEvents {
  readonly #held = new Block(eventBound)
  #last = 0
  #lastButOne = 0

  /** The events that `bytes` complete; empty if they complete none. Throws a `GatewayError` if one gets too long. */
  read(bytes: Uint8Array): Uint8Array {
    if (bytes.length === 0) return bytes
    const end = lastBoundary(bytes, this.#last, this.#lastButOne)
    this.#lastButOne = bytes.length > 1 ? (bytes[bytes.length - 2] as number) : this.#last
    this.#last = bytes[bytes.length - 1] as number
    if (end === bytes.length && this.#held.size === 0) return bytes
    let whole = bytes.subarray(0, end)
    if (end > 0 && this.#held.size > 0) {
      this.#held.add(whole)
      whole = this.#held.take()
    }
    if (this.#held.size + bytes.length - end > eventBound) {
      throw new GatewayError('protocol', 'The upstream sent an event that has no end.')
    }
    this.#held.add(bytes.subarray(end))
    return whole
  }

  /** The event that has not ended yet; then it belongs to the caller. */
  rest(): Uint8Array {
    return this.#held.take()
  }
}
