import { isObject, type JsonObject, objectAt } from '../../wire/json.ts'

/** A chat as a request for a response, in whose terms inputs are counted. */
export function responseFor({ model, messages, tools, response_format: format }: JsonObject): JsonObject {
  return {
    model,
    input: listOf(messages).flatMap(itemsFor),
    ...(Array.isArray(tools) && {
      tools: listOf(tools).map(({ function: called }) => ({ type: 'function', ...asObject(called) })),
    }),
    ...(isObject(format) && { text: { format: { type: format.type, ...objectAt(format, 'json_schema') } } }),
  }
}

function itemsFor(message: JsonObject): JsonObject[] {
  const { role, content, tool_call_id: id, tool_calls: calls } = message
  if (role === 'tool') return [{ type: 'function_call_output', call_id: id, output: contentFor(content, 'input_text') }]
  const said = contentFor(content, role === 'assistant' ? 'output_text' : 'input_text')
  const called = listOf(calls).map((call) => ({ type: 'function_call', call_id: call.id, ...asObject(call.function) }))
  return said === null ? called : [{ type: 'message', role, content: said }, ...called]
}

function contentFor(content: unknown, type: 'input_text' | 'output_text'): unknown {
  if (!Array.isArray(content)) return content ?? null
  return listOf(content).map((part) => {
    if (part.type === 'image_url') return { type: 'input_image', image_url: objectAt(part, 'image_url')?.url }
    return part.type === 'file' ? { type: 'input_file', ...objectAt(part, 'file') } : { type, text: part.text }
  })
}

function listOf(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}

function asObject(value: unknown): JsonObject {
  return isObject(value) ? value : {}
}
