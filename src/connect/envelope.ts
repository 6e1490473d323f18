import { isObject, type JsonObject, tryParse } from '../wire/json.ts'
import { toldError } from '../wire/told-error.ts'

/**
 * Where servers put an answer inside their own: `data` beside a `code`, `result` in Cloudflare's API, `body` of a function
 * whose gateway doesn't unwrap it.
 */
const holders = ['data', 'result', 'response', 'body', 'output']

/** Levels of wrapping that are looked into. */
const depth = 4

/** Characters of a text that may hold an answer; longer ones could hold the event loop. */
const longest = 1024 * 1024

/**
 * The answer, or the error, that a body holds in a list, in an envelope, or as a JSON text. The same value if there is
 * none inside, or if the envelope reports a failure.
 */
export function unwrapped(given: unknown, levels = depth): unknown {
  if (levels === 0 || isTelling(given)) return given
  if (typeof given === 'string') return inner(parsed(given), levels) ?? given
  if (Array.isArray(given)) return (given.length === 1 ? inner(given[0], levels) : undefined) ?? given
  if (!isObject(given)) return given
  for (const key of holders) {
    const found = inner(given[key], levels)
    if (found) return isObject(given.usage) && !found.usage ? { ...found, usage: given.usage } : found
  }
  return given
}

function inner(value: unknown, levels: number): JsonObject | undefined {
  const found = unwrapped(value, levels - 1)
  return isTelling(found) ? found : undefined
}

function parsed(text: string): unknown {
  return text.length <= longest && /^\s*[[{]/.test(text) ? tryParse(text) : undefined
}

function isTelling(value: unknown): value is JsonObject {
  return isObject(value) && (Array.isArray(value.choices) || toldError(value) !== undefined)
}
