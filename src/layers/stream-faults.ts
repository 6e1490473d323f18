import type { Fault, NamingServices } from '../core/stream-reader.ts'
import { GatewayError } from '../wire/errors.ts'
import { type JsonObject, tryParse } from '../wire/json.ts'
import { EventReader, truncated } from '../wire/sse.ts'

/** Builds the error envelopes for failures. */
export interface Words {
  /** For an error that the upstream reported in its stream. */
  told(error: unknown): JsonObject
  /** For an error that broke the stream. */
  broke(error: unknown): JsonObject
  /** The provider's name. */
  readonly name: string
  readonly services: NamingServices
}

export const blankLine = new TextEncoder().encode('\n\n')

/** Whether an event that lacks its blank line is complete otherwise. */
export function isWhole(rest: Uint8Array): boolean {
  const reader = new EventReader()
  try {
    const events = [...reader.read(rest), ...reader.end()]
    return events.every(({ data }) => data === '' || data === '[DONE]' || tryParse(data) !== undefined)
  } catch {
    // Longer than an event may be.
    return false
  }
}

/** What the client gets in place of an event that is a fault. */
export function envelopeOf(fault: Fault, words: Words): JsonObject {
  return 'told' in fault ? words.told(fault.told) : words.broke(faulty(fault.wrong, words.name))
}

function faulty(wrong: string, name: string): GatewayError {
  if (wrong === '') return truncated()
  return new GatewayError('protocol', `${name} ${wrong}.`)
}

/** An event is longer than any may be. */
export function endless(): GatewayError {
  return new GatewayError('protocol', 'The upstream sent an event that has no end.')
}
