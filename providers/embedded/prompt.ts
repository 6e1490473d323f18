import { Template } from '@huggingface/jinja'
import { checkCharacters, invalidType, invalidValue, isObject, type JsonObject, unsupported } from './contract.ts'

const ROLES: Record<string, string> = {
  system: 'system',
  developer: 'system',
  user: 'user',
  assistant: 'assistant',
  tool: 'tool',
  function: 'tool',
}

/** A function in the form that the chat template expects. */
export interface Tool {
  readonly type: 'function'
  readonly function: { readonly name: string; readonly description: string; readonly parameters: JsonObject }
}

/** Returns a function that turns a chat request's messages into a prompt for the assistant's next turn. */
export function chatPrompt(template: string): (messages: unknown, tools: readonly Tool[]) => string {
  // Parsed when first needed, so that it doesn't delay the start.
  let parsed: Template | undefined
  return (messages, tools) => {
    parsed ??= new Template(template)
    const read = readMessages(messages)
    checkCharacters(JSON.stringify([read, tools]).length, 'messages')
    return parsed.render({
      messages: read,
      add_generation_prompt: true,
      ...(tools.length > 0 ? { tools } : {}),
    })
  }
}

function readMessages(messages: unknown): JsonObject[] {
  if (!Array.isArray(messages)) throw invalidType('messages', 'an array', messages)
  if (messages.length === 0) throw invalidValue('messages', 'it must hold at least one message.')
  return messages.map((message, i) => readMessage(message, `messages[${i}]`))
}

function readMessage(message: unknown, at: string): JsonObject {
  if (!isObject(message)) throw invalidType(at, 'an object', message)
  if (typeof message.role !== 'string') throw invalidType(`${at}.role`, 'a string', message.role)
  const role = Object.hasOwn(ROLES, message.role) ? ROLES[message.role] : undefined
  if (!role) throw invalidValue(`${at}.role`, `'${message.role}' is not a role.`)
  if (role !== 'assistant') return { role, content: readContent(message.content, `${at}.content`) }
  const { content, reasoning_content: reasoning, tool_calls: calls } = message
  return {
    role,
    content: content === undefined || content === null ? null : readContent(content, `${at}.content`),
    // The template adds the line end that the model's own reasoning ends with.
    ...(typeof reasoning === 'string' ? { reasoning_content: reasoning.replace(/\n$/, '') } : {}),
    ...(calls === undefined || calls === null ? {} : { tool_calls: readCalls(calls, `${at}.tool_calls`) }),
  }
}

function readContent(content: unknown, at: string): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) throw invalidType(at, 'a string or an array of parts', content)
  return content.map((part, i) => readPart(part, `${at}[${i}]`)).join('\n')
}

function readPart(part: unknown, at: string): string {
  if (!isObject(part)) throw invalidType(at, 'an object', part)
  if (part.type !== 'text' && part.type !== 'refusal') {
    throw unsupported(
      at,
      `The embedded model reads text only; a content part of type '${String(part.type)}' is not supported.`,
    )
  }
  const text = part[part.type]
  if (typeof text !== 'string') throw invalidType(`${at}.${part.type}`, 'a string', text)
  return text
}

function readCalls(calls: unknown, at: string): JsonObject[] {
  if (!Array.isArray(calls)) throw invalidType(at, 'an array', calls)
  return calls.map((call, i) => {
    const called = isObject(call) ? call.function : undefined
    if (!isObject(called)) throw invalidType(`${at}[${i}].function`, 'an object', called)
    const { name, arguments: given } = called
    if (typeof name !== 'string') throw invalidType(`${at}[${i}].function.name`, 'a string', name)
    if (typeof given !== 'string') throw invalidType(`${at}[${i}].function.arguments`, 'a string', given)
    return { type: 'function', function: { name, arguments: given } }
  })
}
