import { isObject, type JsonObject } from '../../wire/json.ts'
import { firstChoice } from './first-choice.ts'

/** What a message or a delta may hold beside its text, and not every API has a place for: citations, pictures, sound. */
export type Extra = 'annotations' | 'images' | 'audio'

/** Which of these a message or a delta holds, by the names that `x-samewire-dropped` has for them. */
export function extrasIn(said: JsonObject, extras: readonly Extra[]): readonly string[] {
  return extras.filter((name) => isFilled(said[name])).map((name) => `answer.${name}`)
}

/** The same for a whole answer of a chat. */
export function extrasOf(answer: JsonObject, extras: readonly Extra[]): readonly string[] {
  const message = firstChoice(answer)?.message
  return isObject(message) ? extrasIn(message, extras) : []
}

function isFilled(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : isObject(value)
}
