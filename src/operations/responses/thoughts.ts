import { isObject, type JsonObject, objectAt, stringAt, tryParse } from '../../wire/json.ts'
import { isSealed, opened, sealed as seal } from '../../wire/sealed.ts'

/**
 * What came with calls besides, by their ids, and is to go back with them: Gemini refuses a call without the
 * `thought_signature` that it gave in `extra_content` (earendil-works/pi#6733).
 */
export type Extras = Readonly<Record<string, JsonObject>>

/** The ids of reasoning that the gateway gives begin so: others look for what has an id in their stores, or know it. */
export const ownReasoning = 'rs_samewire_'

/** What goes back to the model beside the text of its thoughts. */
export interface Kept {
  readonly extras: Extras
  /** The form in which Claude and others know what they thought: see `ReasoningDetail`. */
  readonly details: readonly JsonObject[]
}

/** A text in the form in which clients carry what they can't read: the model gets its thoughts again. */
export function sealed(text: string, { extras, details }: Kept = nothing): string {
  const hasExtras = Object.keys(extras).length > 0
  if (!hasExtras && details.length === 0) return seal(text, 1)
  const inside = {
    // Agents send all of it back with each request: nothing need be there twice.
    ...(textsIn(details) !== text && { text }),
    ...(hasExtras && { extras }),
    ...(details.length > 0 && { details }),
  }
  return seal(JSON.stringify(inside), 2)
}

const nothing: Kept = { extras: {}, details: [] }

/** Whether an item is of use only to the gateway: nobody else can read what it holds, or knows it. */
export function isOwn({ encrypted_content: opaque, id }: JsonObject): boolean {
  return isSealed(opaque) || (typeof id === 'string' && id.startsWith(ownReasoning))
}

/** The reasoning in an item that a client sends back. */
export function thoughtIn({ content, encrypted_content: opaque, summary }: JsonObject): string {
  const inside = contentOf(opaque)
  return textsIn(content) || (stringAt(inside, 'text') ?? textsIn(detailsOf(inside))) || textsIn(summary)
}

/** What came with the calls behind an item that a client sends back. */
export function extrasIn({ encrypted_content: opaque }: JsonObject): JsonObject {
  return objectAt(contentOf(opaque), 'extras') ?? {}
}

/** The same thoughts in the form that is for the model that had them. */
export function detailsIn({ encrypted_content: opaque }: JsonObject): readonly JsonObject[] {
  return detailsOf(contentOf(opaque))
}

function detailsOf(inside: unknown): readonly JsonObject[] {
  const details = isObject(inside) ? inside.details : undefined
  return Array.isArray(details) ? details.filter(isObject) : []
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
    .filter((text) => text !== '')
    .join('\n\n')
}
