import type { Mended, Mender } from '../core/repair.ts'
import type { Fault, StreamReader } from '../core/stream-reader.ts'
import { type Shape, Shapes } from '../wire/shapes.ts'
import { CR, comment, EventReader, eventEnd, isPlainFrame, type ServerEvent } from '../wire/sse.ts'
import { Run } from './run.ts'

/** The first event that may not go out as it is: where it begins, and what is wrong with it or goes out instead. */
export type Stop =
  | { readonly at: number; readonly fault: Fault }
  | { readonly at: number; readonly end: number; readonly instead: readonly Uint8Array[] }

/**
 * Passes the events of a stream to a reader and a mender, except those with the shape of an event that both have
 * already let pass.
 */
export class EventFollower {
  readonly #reader: StreamReader
  readonly #mender: Mender | undefined
  #shapes: Shapes
  /** Whether the upstream has said that the stream is complete. */
  ended = false
  /** The events that have gone on since the last one that the reader has seen, if it wants to know. */
  readonly #run: Run | undefined

  constructor(reader: StreamReader, mender?: Mender) {
    this.#reader = reader
    this.#mender = mender
    this.#shapes = new Shapes(reader)
    this.#run = reader.joined === undefined ? undefined : new Run()
  }

  /**
   * Reads whole events, up to the first that may not go out as it is. `[DONE]` too early is a fault, and nothing may follow
   * it, nor the event that says how it all ended: some clients read on.
   */
  follow(bytes: Uint8Array): Stop | undefined {
    for (let at = 0; at < bytes.length; ) {
      if (this.ended) return { at, end: bytes.length, instead: [] }
      let end = this.#shapes.match(bytes, at)
      if (end < 0) {
        this.catchUp()
        end = eventEnd(bytes, at)
        const seen = this.#see(bytes.subarray(at, end))
        if (seen) return 'fault' in seen ? { at, ...seen } : { at, end, ...seen }
      } else if (this.#run) this.#skip(this.#run, bytes, at, end)
      at = end
    }
    return undefined
  }

  /** Has the reader read the events that have gone on without it. */
  catchUp(): void {
    const unread = this.#run?.take()
    if (!unread) return
    for (const event of new EventReader().read(unread)) this.#reader.see(event)
  }

  #skip(run: Run, bytes: Uint8Array, at: number, end: number): void {
    const shape = this.#shapes.matched as Shape
    if (run.add(shape, bytes, at, end)) return
    this.catchUp()
    run.add(shape, bytes, at, end)
  }

  #see(bytes: Uint8Array): { readonly fault: Fault } | { readonly instead: readonly Uint8Array[] } | undefined {
    const reader = new EventReader()
    const events = [...reader.read(bytes), ...reader.end()]
    let isContent = false
    for (const event of events) {
      if (this.#reader.isOver && event.data.trim() !== '[DONE]') return { instead: [] }
      const sight = this.#reader.see(event)
      if (typeof sight === 'object') return { fault: sight }
      isContent = sight === 'content' && events.length === 1
      if (sight !== 'end') continue
      if (!this.#reader.complete) return { fault: tooEarly }
      this.ended = true
    }
    // Nothing that comes now may pass for its shape alone.
    if (this.#reader.isOver) this.#shapes = new Shapes(this.#reader)
    const mended = this.#mend(events, bytes)
    // What has just been put right may give later events another meaning, also those of a shape that was right before.
    if (typeof mended !== 'string') this.#shapes = new Shapes(this.#reader)
    else if (isContent && mended === 'pass') this.#shapes.learn(bytes)
    return typeof mended === 'string' ? undefined : { instead: mended }
  }

  #mend(events: readonly ServerEvent[], bytes: Uint8Array): Mended {
    const [event] = events
    if (!this.#mender) return 'pass'
    if (!event) return bytes.includes(CR) && !isPlainFrame(bytes) ? [sign] : 'pass'
    const mended = this.#mender.mend(event)
    // openai 4 gives the events of a stream another form if they have names.
    if (typeof mended !== 'string' || (event.event === undefined && isPlainFrame(bytes))) return mended
    return [plainFrame(event.data)]
  }
}

/** In place of a comment that some clients would read as one line with the event after it. */
const sign = comment('keep-alive')

/** An event as one line, in the form that every client reads. */
function plainFrame(data: string): Uint8Array {
  return new TextEncoder().encode(`data: ${data.trim().replace(/[\r\n]+/g, ' ')}\n\n`)
}

/** An empty text: it is reported like a stream that ends without a finish. */
const tooEarly: Fault = { wrong: '' }
