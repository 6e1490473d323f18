import type { Fault, StreamReader } from '../core/operation.ts'
import { Shapes } from '../wire/shapes.ts'
import { EventReader, eventEnd } from '../wire/sse.ts'

/** Passes the events of a stream to a reader, except those with the shape of an event that it has already read. */
export class EventFollower {
  readonly #reader: StreamReader
  readonly #shapes: Shapes
  /** Whether the upstream has said that the stream is complete. */
  ended = false

  constructor(reader: StreamReader) {
    this.#reader = reader
    this.#shapes = new Shapes(reader.texts)
  }

  /** Reads whole events. Returns the first fault and where its event begins; `[DONE]` too early is a fault. */
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

/** An empty text: it is reported like a stream that ends without a finish. */
const tooEarly: Fault = { wrong: '' }
