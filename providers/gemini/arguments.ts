import { isObject, type JsonObject, tryParse } from '../../src/wire/json.ts'
import { incapable } from './incapable.ts'

/** What clients keep in the history for a call without arguments, besides nothing and `{}`. */
const nothing: ReadonlySet<string> = new Set(['', 'null', '[]', '""', 'None', 'undefined'])

/** A call's arguments as the object that Gemini wants. */
export function argumentsOf(given: unknown, param: string): JsonObject {
  if (given === undefined || given === null) return {}
  if (isObject(given)) return given
  const parsed = typeof given === 'string' ? (nothing.has(given.trim()) ? {} : parse(given)) : undefined
  if (isObject(parsed)) return parsed
  throw incapable(param, 'Gemini takes only the text of a JSON object there.')
}

/** Some clients encode a call that they received once more when they send it back. */
function parse(text: string): unknown {
  const parsed = tryParse(text)
  return typeof parsed === 'string' ? tryParse(parsed) : parsed
}
