import { withCustomCalls } from '../../operations/choices/custom-calls.ts'
import { flatChoice, flatTool } from '../../operations/responses/fields.ts'
import { toChat } from '../../operations/responses/request.ts'
import { edited, parseBody, type RequestBody } from '../../wire/body.ts'
import { isObject, type JsonObject, objectAt, stringAt } from '../../wire/json.ts'
import { type FlatTool, isEmptyTurn, isFlat, isOfInput, isReworded, listOf } from './cursor-signs.ts'

/** A chat that a client asked for in another form. */
export interface Reworded {
  readonly body: RequestBody
  /** What of it no chat has. */
  readonly dropped?: readonly string[]
}

/**
 * A request for a chat as Cursor words it for some models: with `input` and the other fields of a response instead of
 * `messages`, or with the flat tools of a response beside them (BerriAI/litellm#34029), and with an empty list for a turn of
 * calls only (archestra-ai/archestra#7375). Any other is returned as it is.
 */
export function chatOf(body: RequestBody): Reworded {
  if (isOfInput(body)) return fromInput(body)
  return { body: isReworded(body) ? inChatsForm(body) : body }
}

function fromInput({ json }: RequestBody): Reworded {
  const { messages: _, stream_options: options, tools, tool_choice: choice, ...asked } = json
  const flat = Array.isArray(tools) ? tools.map(flatTool) : []
  const { chat, dropped } = toChat({
    ...asked,
    ...(tools !== undefined && { tools: flat }),
    ...(choice !== undefined && { tool_choice: flatChoice(choice) }),
  })
  // The client reads the answer as a chat's, so that what it wants of the stream is for it to say.
  const { stream_options: __, ...fields } = withCustomTools(chat, flat)
  const own = options === undefined ? fields : { ...fields, stream_options: options }
  return { body: parseBody(new TextEncoder().encode(JSON.stringify(own))), dropped }
}

/** A chat whose custom tools stay such, as the client is to get calls of them. */
function withCustomTools(chat: JsonObject, flat: readonly unknown[]): JsonObject {
  const custom = new Map(flat.filter(isFlatCustom).map((tool) => [tool.name, nested(tool)]))
  if (custom.size === 0) return chat
  const { messages, tools, tool_choice: choice } = chat
  const names: ReadonlySet<string> = new Set(custom.keys())
  const nameOf = (tool: unknown) => stringAt(objectAt(tool, 'function'), 'name') ?? ''
  return {
    ...chat,
    messages: listOf(messages).map((message) => (isObject(message) ? withCustomCalls(message, names) : message)),
    ...(Array.isArray(tools) && { tools: tools.map((tool) => custom.get(nameOf(tool)) ?? tool) }),
    ...(custom.has(nameOf(choice)) && { tool_choice: { type: 'custom', custom: { name: nameOf(choice) } } }),
  }
}

function inChatsForm(body: RequestBody): RequestBody {
  const { messages, tools, tool_choice: choice } = body.json
  const set = new Map<string, string>()
  if (listOf(tools).some(isFlat)) set.set('tools', JSON.stringify(listOf(tools).map(nested)))
  if (isFlat(choice)) set.set('tool_choice', JSON.stringify(nested(choice)))
  if (listOf(messages).some(isEmptyTurn)) set.set('messages', JSON.stringify(listOf(messages).map(withoutEmptyList)))
  return edited(body, { set })
}

function withoutEmptyList(message: unknown): unknown {
  return isEmptyTurn(message) ? { ...message, content: null } : message
}

function isFlatCustom(tool: unknown): tool is FlatTool {
  return isFlat(tool) && tool.type === 'custom'
}

function nested(tool: unknown): unknown {
  if (!isFlat(tool)) return tool
  const { type, format, ...called } = tool
  return { type, [type]: { ...called, ...(format !== undefined && { format: nestedFormat(format) }) } }
}

function nestedFormat(format: unknown): unknown {
  if (!isObject(format) || format.type !== 'grammar' || isObject(format.grammar)) return format
  const { type, ...grammar } = format
  return { type, grammar }
}
