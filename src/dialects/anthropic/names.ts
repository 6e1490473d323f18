import { isObject, type JsonObject, stringAt } from '../../wire/json.ts'

/** OpenAI's limit, in characters. Anthropic's is 128: clients make long names of an MCP server's and its tool's. */
const longest = 64

/** A tool's name in a chat: the same one for the same tool every time, so that the prompt caches of upstreams fit. */
export function chatName(name: string): string {
  if (name.length <= longest) return name
  const end = (fingerprint(name) >>> 0).toString(16).padStart(8, '0')
  return `${name.slice(0, longest - end.length - 1)}_${end}`
}

/** The client's own name for a tool that a model calls. */
export function ownNames({ tools }: JsonObject): (called: string) => string {
  const own = new Map<string, string>()
  for (const tool of Array.isArray(tools) ? tools.filter(isObject) : []) {
    const name = stringAt(tool, 'name') ?? ''
    if (name.length > longest) own.set(chatName(name), name)
  }
  return (called) => own.get(called) ?? called
}

/** FNV-1a over UTF-16 units. */
function fingerprint(text: string): number {
  let value = 0x811c9dc5
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193)
  return value
}
