import { isObject, tryParse } from '../../src/wire/json.ts'
import { readArguments } from '../arguments.ts'

/** The history for Ollama's own `/v1`, which wants a text in each call, of a JSON object and never empty. */
export function withReadableArguments(messages: unknown): unknown {
  if (!Array.isArray(messages)) return messages
  return messages.map((message: unknown, at) => {
    if (!isObject(message) || !Array.isArray(message.tool_calls)) return message
    const calls = message.tool_calls.map((call: unknown, index) => {
      if (!isObject(call) || !isObject(call.function)) return call
      const { arguments: given } = call.function
      const read = readArguments(given, `messages[${at}].tool_calls[${index}].function.arguments`, 'Ollama')
      // A text that holds an object goes on byte for byte.
      const kept = typeof given === 'string' && isObject(tryParse(given)) ? given : JSON.stringify(read)
      return { ...call, function: { ...call.function, arguments: kept } }
    })
    return { ...message, tool_calls: calls }
  })
}
