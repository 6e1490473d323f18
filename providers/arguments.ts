import { GatewayError } from '../src/wire/errors.ts'
import { isObject, type JsonObject, tryParse } from '../src/wire/json.ts'

/**
 * What clients keep in the history for a call without arguments, besides nothing and `{}`: the text of a null
 * (langroid#988, agent-os#2042), of an empty list (agno#6303), and how Python and JavaScript write nothing.
 */
const nothing: ReadonlySet<string> = new Set(['', 'null', '[]', '""', 'None', 'undefined'])

/**
 * A call's arguments as an object, for servers that don't take OpenAI's text. Those that are no object, such as the
 * arguments of an answer that was cut off, are nothing that `server` can take; others may.
 */
export function readArguments(given: unknown, param: string, server: string): JsonObject {
  if (given === undefined || given === null) return {}
  if (isObject(given)) return given
  if (Array.isArray(given) && given.length === 0) return {}
  const parsed = typeof given === 'string' ? parseArguments(given) : undefined
  if (parsed) return parsed
  throw new GatewayError('incapable', `Invalid '${param}': ${server} takes only the text of a JSON object there.`, {
    param,
    code: 'invalid_value',
  })
}

function parseArguments(text: string): JsonObject | undefined {
  if (nothing.has(text.trim())) return {}
  const parsed = tryParse(text)
  if (isObject(parsed)) return parsed
  // Some clients encode a call that they received once more when they send it back.
  const inner = typeof parsed === 'string' ? tryParse(parsed) : undefined
  return isObject(inner) ? inner : undefined
}
