import { isObject, type JsonObject } from '../wire/json.ts'

/**
 * Where instructions go that a model doesn't take from `developer`: to `system`, or all into the first message, or into
 * the first one of the user, as https://ai.google.dev/gemma/docs/formatting has it for models without such a role.
 */
export type Instructions = 'system' | 'joined' | 'user'

/** Messages that a model with these needs takes. Undefined if they are so already. */
export function withInstructions(messages: unknown, where: Instructions): readonly unknown[] | undefined {
  if (!Array.isArray(messages) || !messages.some((message, at) => isMisplaced(message, at, where))) return undefined
  if (where === 'system') {
    return messages.map((message) => (roleOf(message) === 'developer' ? { ...message, role: 'system' } : message))
  }
  const instructions = messages.filter(isInstruction)
  const rest = messages.filter((message) => !isInstruction(message))
  if (where === 'joined') return [{ ...instructions[0], role: 'system', content: contentOf(instructions) }, ...rest]
  const first = rest.find((message) => roleOf(message) === 'user')
  const turn = { ...first, role: 'user', content: contentOf(first ? [...instructions, first] : instructions) }
  return first ? rest.map((message) => (message === first ? turn : message)) : [turn, ...rest]
}

function isMisplaced(message: unknown, at: number, where: Instructions): boolean {
  if (where === 'user') return isInstruction(message)
  return roleOf(message) === 'developer' || (where === 'joined' && at > 0 && isInstruction(message))
}

function contentOf(messages: readonly JsonObject[]): unknown {
  const contents = messages.map(({ content }) => content)
  return contents.every((one) => typeof one === 'string') ? contents.join('\n\n') : contents.flatMap(partsOf)
}

function partsOf(content: unknown): readonly unknown[] {
  if (Array.isArray(content)) return content
  return typeof content === 'string' ? [{ type: 'text', text: content }] : []
}

function isInstruction(message: unknown): message is JsonObject {
  const role = roleOf(message)
  return role === 'developer' || role === 'system'
}

function roleOf(message: unknown): unknown {
  return isObject(message) ? message.role : undefined
}
