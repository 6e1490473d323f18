import { HalfEvent } from '../wire/half-event.ts'
import { isObject, type JsonObject, tryParse } from '../wire/json.ts'
import { EventReader } from '../wire/sse.ts'
import type { Emit, Stage } from './stream.ts'

/** A stage that is handed whole events, and at the end what is left of one. */
export abstract class EventStage implements Stage {
  readonly #half = new HalfEvent()

  chunk(bytes: Uint8Array, emit: Emit): void {
    const whole = this.#half.add(bytes)
    if (whole) this.pass(whole, emit)
  }

  end(emit: Emit): void {
    const half = this.#half.take()
    if (half.length > 0) this.pass(half, emit)
  }

  fail(error: unknown, emit: Emit): void {
    this.end(emit)
    throw error
  }

  protected abstract pass(events: Uint8Array, emit: Emit): void
}

/** The JSON of the first event in a text, with or without its blank line. Undefined if that is no object. */
export function jsonIn(text: string): JsonObject | undefined {
  const [read] = new EventReader().read(encoder.encode(`${text}\n\n`))
  const json = read && tryParse(read.data)
  return isObject(json) ? json : undefined
}

const encoder = new TextEncoder()
