import { isObject, type JsonObject, stringAt } from '../../wire/json.ts'

/** The text of a message's content, which some servers send as a list of parts. */
export function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  if (Array.isArray(content)) return content.map(textOf).join('')
  if (!isObject(content) || 'thinking' in content) return ''
  return stringAt(content, 'text') ?? ''
}

/** The reasoning in a list of parts. Mistral: `{type: "thinking", thinking: [{type: "text", text}]}` (litellm#16272). */
export function thoughtOf(content: unknown): string {
  if (!Array.isArray(content)) return ''
  return content.map((part) => (isObject(part) && 'thinking' in part ? textOf(part.thinking) : '')).join('')
}

/** A message or delta whose content is a text or null, with the reasoning apart. */
export function withText(message: JsonObject): JsonObject {
  const { content } = message
  if (content === undefined || content === null || typeof content === 'string') return message
  const thought = thoughtOf(content)
  const text = typeof content === 'number' ? String(content) : textOf(content)
  return { ...message, content: text, ...(thought && !message.reasoning_content && { reasoning_content: thought }) }
}

/** Whether a choice of a whole answer holds neither text nor a call. */
export function isEmptyChoice({ message, text }: JsonObject): boolean {
  if (!isObject(message)) return !text
  const { content, tool_calls: calls, function_call: called } = message
  return !content && !called && !(Array.isArray(calls) && calls.length > 0)
}

/** Whether a choice of a chunk holds more than a role: text, a tool call, reasoning, audio. */
export function hasContent(choice: JsonObject): boolean {
  if (choice.text) return true
  const delta = choice.delta
  return isObject(delta) && Object.entries(delta).some(([key, value]) => key !== 'role' && value && isFilled(value))
}

function isFilled(value: unknown): boolean {
  return !Array.isArray(value) || value.length > 0
}
