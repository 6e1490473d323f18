import { isObject, type JsonObject } from './contract.ts'

/** Whether a request uses `functions`, the predecessor of `tools`: its answer must use them too. */
export function usesFunctions(body: JsonObject): boolean {
  return Array.isArray(body.functions) && body.tools === undefined
}

/** Converts the request to tools. Messages with `function_call` are converted in either case. */
export function functionsToTools(body: JsonObject): JsonObject {
  const messages = Array.isArray(body.messages) ? { messages: body.messages.map(convertMessage) } : {}
  if (!usesFunctions(body)) return { ...body, ...messages }
  const { functions, function_call: choice, ...rest } = body
  return {
    ...rest,
    ...messages,
    tools: (functions as unknown[]).map((definition) => ({ type: 'function', function: definition })),
    // `function_call` has room for one call only.
    parallel_tool_calls: false,
    ...(choice === undefined
      ? {}
      : { tool_choice: isObject(choice) ? { type: 'function', function: choice } : choice }),
  }
}

function convertMessage(message: unknown): unknown {
  if (!isObject(message) || !isObject(message.function_call) || message.tool_calls) return message
  return { ...message, tool_calls: [{ type: 'function', function: message.function_call }] }
}

/** Converts the `tool_calls` of a message or delta to `function_call`. */
export function toolCallsToFunction(answer: JsonObject): JsonObject {
  const { tool_calls: calls, ...rest } = answer
  const [call] = Array.isArray(calls) ? (calls as JsonObject[]) : []
  return call ? { ...rest, function_call: call.function } : rest
}
