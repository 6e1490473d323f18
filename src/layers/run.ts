import { Block, concat } from '../wire/block.ts'
import { joinedSpan, type Shape } from '../wire/shapes.ts'

/** Bytes of text after which a run is read: what waits is kept in memory. */
const longest = 64 * 1024

const nothing = new Uint8Array(0)

/**
 * Events of one shape that follow one another. A reader that keeps their texts reads them as one, the last of them with
 * the texts of all: parsing each would cost four times as much as to recognise its shape.
 */
export class Run {
  #shape: Shape | undefined
  readonly #texts = new Block(longest)
  #last: Uint8Array = nothing
  #start = 0
  #end = 0

  /** Adds the event from `start` to `end`, unless it doesn't belong to the run, or that is long enough. */
  add(shape: Shape, bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#shape && (shape !== this.#shape || this.#texts.size >= longest)) return false
    this.#shape = shape
    if (shape.joined >= 0) {
      const text = joinedSpan(shape, bytes, start)
      this.#texts.add(bytes.subarray(text.start, text.end))
    }
    this.#last = bytes
    this.#start = start
    this.#end = end
    return true
  }

  /** Returns all of it as one event, and begins anew; undefined if nothing was added. */
  take(): Uint8Array | undefined {
    const shape = this.#shape
    if (!shape) return undefined
    const bytes = this.#last
    const event = bytes.subarray(this.#start, this.#end)
    this.#shape = undefined
    this.#last = nothing
    if (shape.joined < 0) return event
    const text = joinedSpan(shape, bytes, this.#start)
    return concat([bytes.subarray(this.#start, text.start), this.#texts.take(), bytes.subarray(text.end, this.#end)])
  }
}
