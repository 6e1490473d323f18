import { unreadableCode } from '../../core/failure.ts'
import type { Reduced } from '../../core/operation.ts'
import { edited, type RequestBody } from '../../wire/body.ts'
import type { GatewayError } from '../../wire/errors.ts'
import { isObject, type JsonObject } from '../../wire/json.ts'
import { isOwn, thoughtIn } from './thoughts.ts'

/** The kinds of items that may be of use to the gateway only. */
const kinds: ReadonlySet<unknown> = new Set(['reasoning', 'compaction', 'compaction_summary'])

/**
 * A request without what another model's turns left in it that only the gateway can read or knows: other servers refuse
 * it. Its thoughts are of no use to them; the summary of a conversation is.
 */
export function unsealed(body: RequestBody): RequestBody {
  if (!mayHold(body.outline.input)) return body
  const items = body.json.input as readonly unknown[]
  if (!items.some((item) => isObject(item) && isOwn(item))) return body
  const kept = items.flatMap((item): readonly unknown[] => (isObject(item) && isOwn(item) ? opened(item) : [item]))
  return edited(body, { set: new Map([['input', JSON.stringify(kept)]]) })
}

/**
 * A request without the thoughts that its server has refused as none of its own: those of another one, or of another
 * account there. What such a server has compacted can't be left out: the model would go on as if nothing had been said.
 */
export function withoutSealed(body: RequestBody, { code }: GatewayError): Reduced | undefined {
  if (code !== unreadableCode || !mayHold(body.outline.input)) return undefined
  const items = body.json.input as readonly unknown[]
  const kept = items.filter((item) => !isSealedThought(item))
  if (kept.length === items.length) return undefined
  return {
    body: edited(body, { set: new Map([['input', JSON.stringify(kept.map(unnamed))]]) }),
    dropped: 'input.reasoning',
  }
}

function isSealedThought(item: unknown): boolean {
  return isObject(item) && item.type === 'reasoning' && typeof item.encrypted_content === 'string'
}

/** By its id a server may know what an item came with, and miss it. */
function unnamed(item: unknown): unknown {
  if (!isObject(item) || !said.has(item.type)) return item
  const { id: _, ...rest } = item
  return rest
}

const said: ReadonlySet<unknown> = new Set(['message', 'function_call', 'custom_tool_call'])

/** Looks at the outline only, so that no large request is parsed in vain. */
function mayHold(input: unknown): boolean {
  return Array.isArray(input) && input.some((item) => isObject(item) && kinds.has(item.type))
}

function opened(item: JsonObject): readonly JsonObject[] {
  if (item.type === 'reasoning') return []
  return [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: thoughtIn(item) }] }]
}
