import type { Emit, Stage } from '../core/stream.ts'
import { HalfEvent } from '../wire/half-event.ts'
import { isObject, type JsonObject, stringAt, tryParse } from '../wire/json.ts'
import { EventReader, eventEnd, typedFrame } from '../wire/sse.ts'

/** Events with the response as it stands, or with an item. */
const telling =
  /"type":\s*"response\.(created|queued|in_progress|output_item\.(added|done)|completed|incomplete|failed)"/
const last: ReadonlySet<unknown> = new Set(['response.completed', 'response.incomplete', 'response.failed'])

const decoder = new TextDecoder()
const encoder = new TextEncoder()

/** What is made of a response on its way to the client. */
export interface Teller {
  /** The response as the client is told of it: the same object if nothing is to be changed. */
  told(response: JsonObject): JsonObject
  /** The same of an item. */
  toldItem(item: JsonObject): JsonObject
  /** The response has come to its end. */
  ended(response: JsonObject): void
}

/** Changes what the events of a stream tell of their response. All other bytes stay as they are. */
export class Telling implements Stage {
  readonly #half = new HalfEvent()
  readonly #teller: Teller

  constructor(teller: Teller) {
    this.#teller = teller
  }

  chunk(bytes: Uint8Array, emit: Emit): void {
    const whole = this.#half.add(bytes)
    if (whole) this.#pass(whole, emit)
  }

  end(emit: Emit): void {
    const half = this.#half.take()
    if (half.length > 0) this.#pass(half, emit)
  }

  fail(error: unknown, emit: Emit): void {
    this.end(emit)
    throw error
  }

  #pass(events: Uint8Array, emit: Emit): void {
    if (!telling.test(decoder.decode(events))) {
      emit(events)
      return
    }
    for (let at = 0; at < events.length; ) {
      const end = eventEnd(events, at)
      emit(this.#changed(events.subarray(at, end)))
      at = end
    }
  }

  #changed(bytes: Uint8Array): Uint8Array {
    const text = decoder.decode(bytes)
    if (!telling.test(text)) return bytes
    const [read] = new EventReader().read(encoder.encode(`${text}\n\n`))
    const event = read && tryParse(read.data)
    if (!isObject(event)) return bytes
    const { response, item } = event
    if (isObject(item)) {
      const told = this.#teller.toldItem(item)
      return told === item ? bytes : typedFrame({ ...event, item: told })
    }
    if (!isObject(response)) return bytes
    const told = this.#teller.told(response)
    if (last.has(stringAt(event, 'type'))) this.#teller.ended(response)
    return told === response ? bytes : typedFrame({ ...event, response: told })
  }
}
