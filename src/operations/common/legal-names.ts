import { isObject, type JsonObject, objectAt, stringAt } from '../../wire/json.ts'

/** A chat whose functions have names that OpenAI and Anthropic take, and the client's own name for each. */
export interface LegallyNamed {
  readonly chat: JsonObject
  given(name: string): string
}

/** Characters. https://platform.openai.com/docs/api-reference/chat/create#chat-create-tools */
const longest = 64

/** Renames what is not legal in a chat of another API, the calls of its history and its choice included. */
export function withLegalNames(chat: JsonObject): LegallyNamed {
  const names = [...listIn(chat.tools), ...listIn(chat.messages).flatMap(callsIn)].flatMap(nameIn)
  const legal = new Map(names.filter((name) => !isLegal(name)).map((name) => [name, legalName(name)]))
  return legal.size === 0 ? { chat, given: (name) => name } : { chat: renamedIn(chat, legal), given: givenNames(names) }
}

/**
 * A function's name for models of any API. Gemini's clients may have dots and colons in it, Anthropic's 128 characters:
 * of an MCP server's name and its tool's. The same name becomes the same one whatever else there is, so that the turns of
 * a conversation match, and the prompt caches of upstreams fit.
 */
export function legalName(name: string): string {
  if (isLegal(name)) return name
  const end = (fingerprint(name) >>> 0).toString(16).padStart(8, '0')
  return `${name.replace(/[^\w-]/g, '_').slice(0, longest - end.length - 1)}_${end}`
}

/** The client's own name for a function that a model calls, of those that it offers. */
export function givenNames(offered: readonly string[]): (called: string) => string {
  const given = new Map(offered.map((name) => [legalName(name), name]))
  return (called) => given.get(called) ?? called
}

function isLegal(name: string): boolean {
  return name.length <= longest && /^[\w-]+$/.test(name)
}

/** FNV-1a over UTF-16 units. */
function fingerprint(text: string): number {
  let value = 0x811c9dc5
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193)
  return value
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
