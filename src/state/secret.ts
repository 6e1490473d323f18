/** Fills with bytes that nobody can foresee. */
export type SecureBytes = (length: number) => Uint8Array

const prefix = 'sk-sw-'
/** Of a secret: as many as its digest has, so that none is easier to guess. */
const bytes = 32

/** A new secret of a key: `sk-sw-` and 43 characters. */
export function newSecret(secure: SecureBytes): string {
  return prefix + base64url(secure(bytes))
}

/** What may be shown of a secret: `sk-sw-…abcd`. */
export const hintOf = (secret: string): string => `${prefix}…${secret.slice(-4)}`

/** The SHA-256 of a secret in lower-case hex: all that is stored of it, and how it is found. */
export async function digestOf(secret: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(secret))
  return hexOf(new Uint8Array(digest))
}

export function hexOf(values: Uint8Array): string {
  let text = ''
  for (const value of values) text += value.toString(16).padStart(2, '0')
  return text
}

function base64url(values: Uint8Array): string {
  return btoa(String.fromCharCode(...values)).replace(/[+/=]/g, (sign) => ({ '+': '-', '/': '_' })[sign] ?? '')
}
