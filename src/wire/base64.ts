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
