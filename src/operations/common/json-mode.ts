import { isObject, type JsonObject, stringAt } from '../../wire/json.ts'

const words = 'Answer in JSON.'

/**
 * A chat from a client whose own API has a JSON mode without conditions. OpenAI and Groq refuse it unless a message has
 * the word: "'messages' must contain the word 'json' in some form".
 */
export function inJsonMode(chat: JsonObject): JsonObject {
  if (stringAt(chat.response_format, 'type') !== 'json_object') return chat
  const messages = Array.isArray(chat.messages) ? chat.messages.filter(isObject) : []
  return messages.some(saysJson) ? chat : { ...chat, messages: instructed(messages) }
}

function saysJson({ role, content }: JsonObject): boolean {
  if (role === 'assistant' || role === 'tool') return false
  const parts: readonly unknown[] = Array.isArray(content) ? content : [{ text: content }]
  return parts.some((part) => /json/i.test(stringAt(part, 'text') ?? ''))
}

/** Many templates take no second message of the system. */
function instructed(messages: readonly JsonObject[]): readonly JsonObject[] {
  const [first, ...rest] = messages
  if (!first || (first.role !== 'system' && first.role !== 'developer')) {
    return [{ role: 'system', content: words }, ...messages]
  }
  const { content } = first
  const said = Array.isArray(content)
    ? [...content, { type: 'text', text: words }]
    : content
      ? `${content}\n\n${words}`
      : words
  return [{ ...first, content: said }, ...rest]
}
