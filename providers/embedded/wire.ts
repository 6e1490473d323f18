import type { JsonObject } from './contract.ts'
import type { Event, FinishReason } from './generate.ts'

/** How an operation converts events to response objects. */
export interface Wire {
  readonly objects: { readonly chunk: string; readonly whole: string }
  /** The choices of this event's chunk; empty if the event produces none. */
  choices(event: Event): JsonObject[]
  /** Collects one answer into a choice of the whole response. */
  collect(start: Extract<Event, { kind: 'start' }>): {
    add(event: Extract<Event, { kind: 'piece' }>): void
    choice(index: number, reason: FinishReason): JsonObject
  }
}
