import { isObject, type JsonObject } from './contract.ts'

/** Whether a request speaks of `functions`, the predecessor of `tools`, and so wants its answer in those terms. */
export function usesFunctions(body: JsonObject): boolean {
  return Array.isArray(body.functions) && body.tools === undefined
}

/** The same request in terms of tools. Messages of the old kind are understood beside either. */
export function functionsToTools(body: JsonObject): JsonObject {
  const messages = Array.isArray(body.messages) ? { messages: body.messages.map(convertMessage) } : {}
  if (!usesFunctions(body)) return { ...body, ...messages }
  const { functions, function_call: choice, ...rest } = body
  return {
    ...rest,
    ...messages,
    tools: (functions as unknown[]).map((definition) => ({ type: 'function', function: definition })),
    // A function call is one by nature.
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

/** The `tool_calls` of a message or delta as `function_call`. */
export function toolCallsToFunction(answer: JsonObject): JsonObject {
  const { tool_calls: calls, ...rest } = answer
  const [call] = Array.isArray(calls) ? (calls as JsonObject[]) : []
  return call ? { ...rest, function_call: call.function } : rest
}
