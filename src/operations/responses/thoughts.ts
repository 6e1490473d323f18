import { isObject, type JsonObject, objectAt, stringAt, tryParse } from '../../wire/json.ts'
import { isSealed, opened, sealed as seal } from '../../wire/sealed.ts'

/**
 * What came with calls besides, by their ids, and is to go back with them: Gemini refuses a call without the
 * `thought_signature` that it gave in `extra_content` (earendil-works/pi#6733).
 */
export type Extras = Readonly<Record<string, JsonObject>>

/** The ids of reasoning that the gateway gives begin so: others look for what has an id in their stores, or know it. */
export const ownReasoning = 'rs_samewire_'

/** A text in the form in which clients carry what they can't read: the model gets its thoughts again. */
export function sealed(text: string, extras: Extras = {}): string {
  const hasExtras = Object.keys(extras).length > 0
  return hasExtras ? seal(JSON.stringify({ text, extras }), 2) : seal(text, 1)
}

/** Whether an item is of use only to the gateway: nobody else can read what it holds, or knows it. */
export function isOwn({ encrypted_content: opaque, id }: JsonObject): boolean {
  return isSealed(opaque) || (typeof id === 'string' && id.startsWith(ownReasoning))
}

/** The reasoning in an item that a client sends back. */
export function thoughtIn({ content, encrypted_content: opaque, summary }: JsonObject): string {
  return textsIn(content) || (stringAt(contentOf(opaque), 'text') ?? '') || textsIn(summary)
}

/** What came with the calls behind an item that a client sends back. */
export function extrasIn({ encrypted_content: opaque }: JsonObject): JsonObject {
  return objectAt(contentOf(opaque), 'extras') ?? {}
}

function contentOf(opaque: unknown): unknown {
  const inside = opened(opaque)
  if (inside?.kind === 1) return { text: inside.text }
  return inside?.kind === 2 ? tryParse(inside.text) : undefined
}

function textsIn(parts: unknown): string {
  if (!Array.isArray(parts)) return ''
  return parts
    .filter(isObject)
    .map((part) => stringAt(part, 'text') ?? '')
    .join('\n\n')
}
