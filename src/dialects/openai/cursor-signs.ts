import type { RequestBody } from '../../wire/body.ts'
import { isObject, type JsonObject } from '../../wire/json.ts'

/** A tool as a response has it. */
export interface FlatTool extends JsonObject {
  readonly type: 'function' | 'custom'
  readonly name: string
}

/** Whether a request for a chat is in another form than a chat's: see `chatOf`. */
export function isReworded(body: RequestBody): boolean {
  const { messages, tools } = body.outline
  return isOfInput(body) || listOf(tools).some(isFlat) || listOf(messages).some(isEmptyTurn)
}

export function isOfInput({ outline }: RequestBody): boolean {
  const { messages, input } = outline
  const isEmpty = messages === undefined || messages === null || (Array.isArray(messages) && messages.length === 0)
  return isEmpty && input !== undefined && input !== null
}

/** Whether it is a turn with nothing but calls, in the form that OpenAI refuses and Cursor sends. */
export function isEmptyTurn(message: unknown): message is JsonObject {
  return isObject(message) && Array.isArray(message.content) && message.content.length === 0 && 'tool_calls' in message
}

export function isFlat(tool: unknown): tool is FlatTool {
  if (!isObject(tool) || typeof tool.name !== 'string') return false
  return (tool.type === 'function' || tool.type === 'custom') && !isObject(tool[tool.type])
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
