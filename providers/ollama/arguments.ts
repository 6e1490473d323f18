import { GatewayError } from '../../src/wire/errors.ts'
import { isObject, type JsonObject, tryParse } from '../../src/wire/json.ts'

/**
 * What clients keep in the history for a call without arguments, besides nothing and `{}`: the text of a null
 * (langroid#988, agent-os#2042), of an empty list (agno#6303), and how Python and JavaScript write nothing.
 */
const nothing: ReadonlySet<string> = new Set(['', 'null', '[]', '""', 'None', 'undefined'])

/**
 * A call's arguments as the object that Ollama wants: it fails with a parser error on OpenAI's text. Arguments that are
 * no object, such as those of an answer that was cut off, are nothing that Ollama can take; other providers may.
 */
export function readArguments(given: unknown, param: string): JsonObject {
  if (given === undefined || given === null) return {}
  if (isObject(given)) return given
  if (Array.isArray(given) && given.length === 0) return {}
  const parsed = typeof given === 'string' ? parseArguments(given) : undefined
  if (parsed) return parsed
  throw new GatewayError('incapable', `Invalid '${param}': Ollama takes only the text of a JSON object there.`, {
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

/** The history for Ollama's own `/v1`, which wants a text in each call, of a JSON object and never empty. */
export function withReadableArguments(messages: unknown): unknown {
  if (!Array.isArray(messages)) return messages
  return messages.map((message: unknown, at) => {
    if (!isObject(message) || !Array.isArray(message.tool_calls)) return message
    const calls = message.tool_calls.map((call: unknown, index) => {
      if (!isObject(call) || !isObject(call.function)) return call
      const { arguments: given } = call.function
      const read = readArguments(given, `messages[${at}].tool_calls[${index}].function.arguments`)
      // A text that holds an object goes on byte for byte.
      const kept = typeof given === 'string' && isObject(tryParse(given)) ? given : JSON.stringify(read)
      return { ...call, function: { ...call.function, arguments: kept } }
    })
    return { ...message, tool_calls: calls }
  })
}
