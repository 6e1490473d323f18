import { edited, type RequestBody } from '../../wire/body.ts'
import { isObject, type JsonObject } from '../../wire/json.ts'
import { isSealed } from '../../wire/sealed.ts'

/** A request without what other models' turns left in it, and Anthropic's server refuses: thoughts, and forms of ids. */
export function forAnthropic(body: RequestBody): RequestBody {
  const { messages } = body.outline
  if (!Array.isArray(messages) || !messages.some((message) => contentIn(message).some(mayBeForeign))) return body
  const all = body.json.messages as readonly unknown[]
  if (!all.some((message) => contentIn(message).some(isForeign))) return body
  const kept = all.flatMap((message) => {
    if (!isObject(message) || !contentIn(message).some(isForeign)) return [message]
    const content = contentIn(message).flatMap((block) => (isOurs(block) ? [] : [withTakenId(block)]))
    return content.length > 0 ? [{ ...message, content }] : []
  })
  return edited(body, { set: new Map([['messages', JSON.stringify(kept)]]) })
}

function contentIn(message: unknown): readonly unknown[] {
  return isObject(message) && Array.isArray(message.content) ? message.content : []
}

/** By the outline, which has marks in place of long texts. */
function mayBeForeign(block: unknown): boolean {
  return isThought(block) || hasOtherId(block)
}

function isForeign(block: unknown): boolean {
  return isOurs(block) || hasOtherId(block)
}

function isThought(block: unknown): block is JsonObject {
  return isObject(block) && (block.type === 'thinking' || block.type === 'redacted_thinking')
}

function isOurs(block: unknown): boolean {
  return isThought(block) && (isSealed(block.signature) || isSealed(block.data))
}

/** Where a call and its result have its id. */
const ids: Readonly<Record<string, string>> = { tool_use: 'id', tool_result: 'tool_use_id' }
const refused = /[^\w-]/g

/** Kimi's ids are such, `functions.get_weather:0`. */
function hasOtherId(block: unknown): boolean {
  const id = isObject(block) ? block[ids[String(block.type)] ?? ''] : undefined
  return typeof id === 'string' && id.search(refused) >= 0
}

function withTakenId(block: unknown): unknown {
  if (!isObject(block) || !hasOtherId(block)) return block
  const name = ids[String(block.type)] ?? ''
  return { ...block, [name]: String(block[name]).replace(refused, '_') }
}
