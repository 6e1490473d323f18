import type { JsonObject } from '../wire/json.ts'
import type { ServerEvent } from '../wire/sse.ts'
import type { WireContext } from './wire-context.ts'

/** How an operation puts right what servers get slightly wrong, so that every client reads it. */
export interface Repair {
  /** A whole answer put right; the same object if nothing is wrong with it. */
  answer(answer: JsonObject, context: WireContext): JsonObject
  /** Creates the mender for one stream. Absent: the operation has none. */
  stream?(context: WireContext): Mender
}

/** Puts one stream right. It sees the events in order, and knows what has gone out already. */
export interface Mender {
  mend(event: ServerEvent): Mended
  /** What is still to be sent before the stream ends. */
  end(): readonly Uint8Array[]
}

/**
 * What becomes of an event. `pass`: it may go out as it is, and so may events that differ only in their texts; `look`:
 * it may go out as it is, but the next one like it must be looked at; otherwise: what goes out instead.
 */
export type Mended = 'pass' | 'look' | readonly Uint8Array[]
