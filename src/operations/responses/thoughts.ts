import { isObject, type JsonObject, stringAt } from '../../wire/json.ts'

/**
 * What the gateway gives as `encrypted_content` begins so. It is no secret, only opaque: the client sends it back as it
 * came, and the model gets its thoughts again. That of other providers is for them alone.
 */
const ours = 'samewire1.'

/** A text in the form in which clients carry what they can't read. */
export function sealed(text: string): string {
  const bytes = new TextEncoder().encode(text)
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return ours + btoa(binary)
}

/** Whether only the gateway can read what an item holds. */
export function isSealed({ encrypted_content: opaque }: JsonObject): boolean {
  return typeof opaque === 'string' && opaque.startsWith(ours)
}

/** The reasoning in an item that a client sends back. */
export function thoughtIn({ content, encrypted_content: opaque, summary }: JsonObject): string {
  return textsIn(content) || opened(opaque) || textsIn(summary)
}

function opened(opaque: unknown): string {
  if (typeof opaque !== 'string' || !opaque.startsWith(ours)) return ''
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
