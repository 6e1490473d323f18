import { toChat } from '../../operations/responses/request.ts'
import { edited, parseBody, type RequestBody } from '../../wire/body.ts'
import { isObject, type JsonObject } from '../../wire/json.ts'

/** A chat that a client asked for in another form. */
export interface Reworded {
  readonly body: RequestBody
  /** What of it no chat has. */
  readonly dropped?: readonly string[]
}

/**
 * A request for a chat as Cursor words it for some models: with `input` and the other fields of a response instead of
 * `messages`, or with the flat tools of a response beside them (BerriAI/litellm#34029). Any other is returned as it is.
 */
export function chatOf(body: RequestBody): Reworded {
  const { messages, input, tools } = body.outline
  const isEmpty = messages === undefined || messages === null || (Array.isArray(messages) && messages.length === 0)
  if (isEmpty && input !== undefined && input !== null) return fromInput(body)
  return Array.isArray(tools) && tools.some(isFlat) ? { body: withNestedTools(body) } : { body }
}

function fromInput({ json }: RequestBody): Reworded {
  const { messages: _, stream_options: options, tools, ...asked } = json
  const flat = Array.isArray(tools) ? tools.map(flattened) : tools
  const { chat, dropped } = toChat({ ...asked, tools: flat })
  // The client reads the answer as a chat's, so that what it wants of the stream is for it to say.
  const { stream_options: __, ...fields } = chat
  const own = options === undefined ? fields : { ...fields, stream_options: options }
  return { body: parseBody(new TextEncoder().encode(JSON.stringify(own))), dropped }
}

function withNestedTools(body: RequestBody): RequestBody {
  const { tools, tool_choice: choice } = body.json
  const set = new Map([['tools', JSON.stringify((tools as readonly unknown[]).map(nested))]])
  if (isFlat(choice)) set.set('tool_choice', JSON.stringify(nested(choice)))
  return edited(body, { set })
}

function isFlat(tool: unknown): tool is JsonObject {
  return isObject(tool) && tool.type === 'function' && tool.function === undefined && typeof tool.name === 'string'
}

function nested(tool: unknown): unknown {
  if (!isFlat(tool)) return tool
  const { type, ...called } = tool
  return { type, function: called }
}

function flattened(tool: unknown): unknown {
  return isObject(tool) && isObject(tool.function) ? { type: tool.type, ...tool.function } : tool
}
