import { isObject, type JsonObject, objectAt, stringAt } from '../../wire/json.ts'

/** A chat whose functions have names that OpenAI and Anthropic take, and the client's own name for each. */
export interface LegallyNamed {
  readonly chat: JsonObject
  given(name: string): string
}

/** Characters. https://platform.openai.com/docs/api-reference/chat/create#chat-create-tools */
const longest = 64

/**
 * Other APIs allow more in a function's name: Gemini dots and colons, Anthropic 128 characters. The same functions get
 * the same names each time, or the turns of a conversation wouldn't match, and no cache of prompts would.
 */
export function withLegalNames(chat: JsonObject): LegallyNamed {
  const names = new Set([...listIn(chat.tools), ...listIn(chat.messages).flatMap(callsIn)].flatMap(nameIn))
  const wrong = [...names].filter((name) => !isLegal(name))
  if (wrong.length === 0) return { chat, given: (name) => name }
  const legal = new Map<string, string>()
  for (const name of wrong) {
    const made = madeOf(name, names)
    names.add(made)
    legal.set(name, made)
  }
  const own = new Map([...legal].map(([name, made]) => [made, name]))
  return { chat: renamedIn(chat, legal), given: (name) => own.get(name) ?? name }
}

function isLegal(name: string): boolean {
  return /^[\w-]+$/.test(name) && name.length <= longest
}

/** A legal name that is not `taken`. */
function madeOf(name: string, taken: ReadonlySet<string>): string {
  const plain = name.replace(/[^\w-]/g, '_')
  for (let count = 1; ; count++) {
    const end = count === 1 ? '' : `_${count}`
    const made = plain.slice(0, longest - end.length) + end
    if (!taken.has(made)) return made
  }
}

function renamedIn(chat: JsonObject, legal: ReadonlyMap<string, string>): JsonObject {
  const named = (one: JsonObject): JsonObject => {
    const called = objectAt(one, 'function')
    const made = legal.get(stringAt(called, 'name') ?? '')
    return made === undefined ? one : { ...one, function: { ...called, name: made } }
  }
  const { messages, tools, tool_choice: choice } = chat
  return {
    ...chat,
    messages: listIn(messages).map((one) => (one.tool_calls ? { ...one, tool_calls: callsIn(one).map(named) } : one)),
    ...(Array.isArray(tools) && { tools: listIn(tools).map(named) }),
    ...(isObject(choice) && { tool_choice: named(choice) }),
  }
}

function callsIn({ tool_calls: calls }: JsonObject): readonly JsonObject[] {
  return listIn(calls)
}

function nameIn(one: JsonObject): string[] {
  const name = stringAt(objectAt(one, 'function'), 'name')
  return name === undefined ? [] : [name]
}

function listIn(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}
