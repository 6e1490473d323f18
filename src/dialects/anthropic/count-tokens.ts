import type { Operation } from '../../core/operation.ts'
import type { Translation } from '../../core/translation.ts'
import { plainDemand } from '../../operations/common/plain-demand.ts'
import { inputTokens } from '../../operations/input-tokens.ts'
import { parseBody } from '../../wire/body.ts'
import { isObject, type JsonObject, objectAt } from '../../wire/json.ts'
import { checkPrompt } from './check.ts'
import { inOwnTerms, toChat } from './request.ts'
import { unsealed } from './thoughts.ts'

const overInputTokens: Translation<Operation> = {
  operation: inputTokens,
  direct: unsealed,
  failure: inOwnTerms,
  begin({ json }, context) {
    const { chat, dropped } = toChat(json, context)
    return {
      body: parseBody(new TextEncoder().encode(JSON.stringify(responseFor(chat)))),
      dropped,
      answer: ({ input_tokens }) => ({ input_tokens }),
    }
  },
}

/** Counts what a request for a message would be to the model. */
export const countTokens: Operation = {
  name: 'countTokens',
  path: '/messages/count_tokens',
  routes: [],
  check: checkPrompt,
  query: plainDemand,
  fault: ({ input_tokens: count }) => (typeof count === 'number' ? undefined : { wrong: 'sent no number of tokens' }),
  over: overInputTokens,
}

/** A chat as a request for a response, in whose terms inputs are counted. */
function responseFor({ model, messages, tools, response_format: format }: JsonObject): JsonObject {
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
