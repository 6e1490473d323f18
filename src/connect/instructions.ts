import { isObject, type JsonObject } from '../wire/json.ts'

/** Where instructions go that a model doesn't take from `developer`: to `system`, or all into the first message. */
export type Instructions = 'system' | 'joined'

/** Messages that a model with these needs takes. Undefined if they are so already. */
export function withInstructions(messages: unknown, where: Instructions): readonly unknown[] | undefined {
  if (!Array.isArray(messages)) return undefined
  const isAsWanted =
    where === 'system'
      ? !messages.some((message) => roleOf(message) === 'developer')
      : !messages.some((message, at) => roleOf(message) === 'developer' || (at > 0 && isInstruction(message)))
  if (isAsWanted) return undefined
  if (where === 'joined') return joined(messages)
  return messages.map((message) => (roleOf(message) === 'developer' ? { ...message, role: 'system' } : message))
}

function joined(messages: readonly unknown[]): readonly unknown[] {
  const instructions = messages.filter(isInstruction)
  const contents = instructions.map(({ content }) => content)
  const content = contents.every((one) => typeof one === 'string') ? contents.join('\n\n') : contents.flatMap(partsOf)
  return [{ ...instructions[0], role: 'system', content }, ...messages.filter((message) => !isInstruction(message))]
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
