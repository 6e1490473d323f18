import { isObject, type JsonObject, objectAt, stringAt, tryParse } from '../../wire/json.ts'

/**
 * What the gateway gives as `encrypted_content` begins so. It is no secret, only opaque: the client sends it back as it
 * came, and the model gets its thoughts again. That of other providers is for them alone.
 */
const ours = /^samewire([12])\./

/**
 * What came with calls besides, by their ids, and is to go back with them: Gemini refuses a call without the
 * `thought_signature` that it gave in `extra_content` (earendil-works/pi#6733).
 */
export type Extras = Readonly<Record<string, JsonObject>>

/** The ids of reasoning that the gateway gives begin so: others look for what has an id in their stores, or know it. */
export const ownReasoning = 'rs_samewire_'

/** A text in the form in which clients carry what they can't read. */
export function sealed(text: string, extras: Extras = {}): string {
  const hasExtras = Object.keys(extras).length > 0
  const bytes = new TextEncoder().encode(hasExtras ? JSON.stringify({ text, extras }) : text)
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return `samewire${hasExtras ? 2 : 1}.${btoa(binary)}`
}

/** Whether an item is of use only to the gateway: nobody else can read what it holds, or knows it. */
export function isOwn({ encrypted_content: opaque, id }: JsonObject): boolean {
  return (typeof opaque === 'string' && ours.test(opaque)) || (typeof id === 'string' && id.startsWith(ownReasoning))
}

/** The reasoning in an item that a client sends back. */
export function thoughtIn({ content, encrypted_content: opaque, summary }: JsonObject): string {
  return textsIn(content) || (stringAt(opened(opaque), 'text') ?? '') || textsIn(summary)
}

/** What came with the calls behind an item that a client sends back. */
export function extrasIn({ encrypted_content: opaque }: JsonObject): JsonObject {
  return objectAt(opened(opaque), 'extras') ?? {}
}

function opened(opaque: unknown): unknown {
  const [start, version] = (typeof opaque === 'string' && ours.exec(opaque)) || []
  if (start === undefined) return undefined
  try {
    const binary = atob(String(opaque).slice(start.length))
    const text = new TextDecoder().decode(Uint8Array.from(binary, (one) => one.charCodeAt(0)))
    return version === '2' ? tryParse(text) : { text }
  } catch {
    return undefined
  }
}

function textsIn(parts: unknown): string {
  if (!Array.isArray(parts)) return ''
  return parts
    .filter(isObject)
    .map((part) => stringAt(part, 'text') ?? '')
    .join('\n\n')
}
