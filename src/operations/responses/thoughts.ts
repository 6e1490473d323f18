import { isObject, type JsonObject, stringAt } from '../../wire/json.ts'

/**
 * What the gateway gives as `encrypted_content` begins so. It is no secret, only opaque: the client sends it back as it
 * came, and the model gets its thoughts again. That of other providers is for them alone.
 */
const ours = 'samewire1.'

/** The ids of reasoning that the gateway gives begin so: others look for what has an id in their stores, or know it. */
export const ownReasoning = 'rs_samewire_'

/** A text in the form in which clients carry what they can't read. */
export function sealed(text: string): string {
  const bytes = new TextEncoder().encode(text)
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return ours + btoa(binary)
}

/** Whether an item is of use only to the gateway: nobody else can read what it holds, or knows it. */
export function isOwn({ encrypted_content: opaque, id }: JsonObject): boolean {
  return startsWith(opaque, ours) || startsWith(id, ownReasoning)
}

function startsWith(value: unknown, start: string): boolean {
  return typeof value === 'string' && value.startsWith(start)
}

/** The reasoning in an item that a client sends back. */
export function thoughtIn({ content, encrypted_content: opaque, summary }: JsonObject): string {
  return textsIn(content) || opened(opaque) || textsIn(summary)
}

function opened(opaque: unknown): string {
  if (typeof opaque !== 'string' || !startsWith(opaque, ours)) return ''
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(opaque.slice(ours.length)), (one) => one.charCodeAt(0)))
  } catch {
    return ''
  }
}

function textsIn(parts: unknown): string {
  if (!Array.isArray(parts)) return ''
  return parts
    .filter(isObject)
    .map((part) => stringAt(part, 'text') ?? '')
    .join('\n\n')
}
