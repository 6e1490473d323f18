/** Bytes encoded at once, so that arguments fit on the stack; divisible by three, so that the pieces can be joined. */
const atOnce = 24 * 1024

/** Bytes as base64. */
export function toBase64(bytes: Uint8Array): string {
  const pieces: string[] = []
  for (let at = 0; at < bytes.length; at += atOnce) {
    pieces.push(btoa(String.fromCharCode(...bytes.subarray(at, at + atOnce))))
  }
  return pieces.join('')
}

/** The bytes of base64; undefined if it is none. */
export function fromBase64(text: string): Uint8Array | undefined {
  let binary: string
  try {
    binary = atob(text)
  } catch {
    return undefined
  }
  const bytes = new Uint8Array(binary.length)
  for (let at = 0; at < binary.length; at++) bytes[at] = binary.charCodeAt(at)
  return bytes
}
