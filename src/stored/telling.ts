import { EventStage, jsonIn } from '../core/event-stage.ts'
import type { Emit } from '../core/stream.ts'
import { isObject, type JsonObject, stringAt } from '../wire/json.ts'
import { eventEnd, typedFrame } from '../wire/sse.ts'

/** Events with the response as it stands, or with an item. */
const telling =
  /"type":\s*"response\.(created|queued|in_progress|output_item\.(added|done)|completed|incomplete|failed)"/
const last: ReadonlySet<unknown> = new Set(['response.completed', 'response.incomplete', 'response.failed'])

const decoder = new TextDecoder()

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
export class Telling extends EventStage {
  readonly #teller: Teller

  constructor(teller: Teller) {
    super()
    this.#teller = teller
  }

  protected override pass(events: Uint8Array, emit: Emit): void {
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
    const event = jsonIn(text)
    if (!event) return bytes
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
