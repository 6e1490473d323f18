import type { Fault, StreamReader } from '../core/operation.ts'
import { Shapes } from '../wire/shapes.ts'
import { EventReader, eventEnd } from '../wire/sse.ts'

/** Has a reader see the events of a stream, all but those that are like one that it has seen before. */
export class EventFollower {
  readonly #reader: StreamReader
  readonly #shapes: Shapes
  /** The upstream has said that this was all. */
  ended = false

  constructor(reader: StreamReader) {
    this.#reader = reader
    this.#shapes = new Shapes(reader.texts)
  }

  /** Follows whole events. Returns the first that is a fault and where it begins; `[DONE]` too early is one. */
  follow(bytes: Uint8Array): { readonly at: number; readonly fault: Fault } | undefined {
    for (let at = 0; at < bytes.length; ) {
      let end = this.#shapes.match(bytes, at)
      if (end < 0) {
        end = eventEnd(bytes, at)
        const fault = this.#see(bytes.subarray(at, end))
        if (fault) return { at, fault }
      }
      at = end
    }
    return undefined
  }

  #see(bytes: Uint8Array): Fault | undefined {
    const reader = new EventReader()
    const events = [...reader.read(bytes), ...reader.end()]
    for (const event of events) {
      const sight = this.#reader.see(event)
      if (typeof sight === 'object') return sight
      if (sight === 'content' && events.length === 1) this.#shapes.learn(bytes)
      if (sight !== 'end') continue
      if (!this.#reader.complete) return tooEarly
      this.ended = true
    }
    return undefined
  }
}

/** No words of its own: it is the same as ending without a word. */
const tooEarly: Fault = { wrong: '' }
