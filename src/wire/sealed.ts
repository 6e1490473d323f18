/** What the gateway seals begins so. The number says what is inside. */
const ours = /^samewire(\d)\./

/** What was sealed: `kind` is the number that it was sealed with. */
export interface Opened {
  readonly kind: number
  readonly text: string
}

/**
 * A text in a form that clients carry without a look inside. It is no secret, only opaque: the client sends it back as it
 * came, and the gateway reads it again. `kind`: one digit.
 */
export function sealed(text: string, kind: number): string {
  const bytes = new TextEncoder().encode(text)
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return `samewire${kind}.${btoa(binary)}`
}

/** Whether the gateway has sealed it: nobody else can read it. */
export function isSealed(opaque: unknown): opaque is string {
  return typeof opaque === 'string' && ours.test(opaque)
}

/** Undefined if it was not sealed, or was changed since. */
export function opened(opaque: unknown): Opened | undefined {
  const [start, kind] = (typeof opaque === 'string' && ours.exec(opaque)) || []
  if (start === undefined) return undefined
  try {
    const binary = atob(String(opaque).slice(start.length))
    const text = new TextDecoder().decode(Uint8Array.from(binary, (one) => one.charCodeAt(0)))
    return { kind: Number(kind), text }
  } catch {
    return undefined
  }
}
