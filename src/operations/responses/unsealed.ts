import { edited, type RequestBody } from '../../wire/body.ts'
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

/** Looks at the outline only, so that no large request is parsed in vain. */
function mayHold(input: unknown): boolean {
  return Array.isArray(input) && input.some((item) => isObject(item) && kinds.has(item.type))
}

function opened(item: JsonObject): readonly JsonObject[] {
  if (item.type === 'reasoning') return []
  return [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: thoughtIn(item) }] }]
}
