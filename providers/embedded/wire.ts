import type { JsonObject } from './contract.ts'
import type { Event, FinishReason } from './generate.ts'

/** One operation's way of putting events into the objects its clients read. */
export interface Wire {
  readonly objects: { readonly chunk: string; readonly whole: string }
  /** The choices of the chunk for this event; none for an event that says nothing here. */
  choices(event: Event): JsonObject[]
  /** Gathers one answer into a choice of the whole. */
  collect(start: Extract<Event, { kind: 'start' }>): {
    add(event: Extract<Event, { kind: 'piece' }>): void
    choice(index: number, reason: FinishReason): JsonObject
  }
}
