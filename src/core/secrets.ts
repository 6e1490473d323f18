import type { Provider, ProviderSettings } from './provider.ts'

/** Minimum length in characters; shorter values are words such as `ollama` or `true`. */
const secretLength = 8
/** Characters of a secret that reveal something of it; also the length of prefixes such as `sk-`. */
const startLength = 5

/** Everything that only this provider may see: its key, and its headers' values with each word in them. */
export function secretsOf({ apiKey, headers }: ProviderSettings): readonly string[] {
  const values = Object.values(headers).flatMap((value) => [value, ...value.split(/\s+/)])
  return [...(apiKey === undefined ? [] : [apiKey]), ...values]
}

/** The same for a provider, plus the caller's own bearer token. */
export function secretsAt({ settings }: Provider, bearer: string | undefined): readonly string[] {
  return bearer === undefined ? secretsOf(settings) : [...secretsOf(settings), bearer]
}

/**
 * Removes the secrets from `text`, in whatever form: some servers repeat the request that they refuse, keys included,
 * JSON-escaped, URL-encoded, or inside base64 such as that of a basic authorization.
 */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  return secrets
    .filter(({ length }) => length >= secretLength)
    .reduce((left, secret) => withoutStart(left.replace(anyForm(secret), '***'), secret), text)
}

/** Removes the beginning of a secret at the end of a text that was cut there. */
function withoutStart(text: string, secret: string): string {
  for (let length = secret.length - 1; length >= startLength; length--) {
    if (text.endsWith(secret.slice(0, length))) return `${text.slice(0, -length)}***`
  }
  return text
}

function anyForm(secret: string): RegExp {
  return new RegExp([spelt(secret), ...inBase64(secret).map(spelt)].join('|'), 'g')
}

/** Matches each character as it is, behind backslashes, as `\u002f`, or as `%2F`. */
function spelt(text: string): string {
  return Array.from(text, (character) => {
    const units = Array.from({ length: character.length }, (_, at) => hex(character.charCodeAt(at), 4))
    const escaped = units.map((unit) => `\\\\+u${unit}`).join('')
    const bytes = Array.from(encoder.encode(character), (byte) => `%${hex(byte, 2)}`).join('')
    return `(?:\\\\*${escapeForPattern(character)}|${escaped}|${bytes})`
  }).join('')
}

/** A pattern for a number in hexadecimal digits of either case. */
function hex(value: number, digits: number): string {
  const text = value.toString(16).padStart(digits, '0')
  return text.replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`)
}

/** The base64 characters that don't depend on what surrounds the secret, for each of its three possible offsets. */
function inBase64(secret: string): string[] {
  const bytes = encoder.encode(secret)
  return [0, 1, 2].flatMap((before) => {
    const shifted = String.fromCharCode(...new Uint8Array(before), ...bytes)
    const whole = btoa(shifted).slice(Math.ceil((before * 8) / 6), Math.floor((shifted.length * 8) / 6))
    return [...new Set([whole, whole.replaceAll('+', '-').replaceAll('/', '_')])]
  })
}

function escapeForPattern(character: string): string {
  return character.replace(/[\\^$.*+?()[\]{}|/-]/, '\\$&')
}

const encoder = new TextEncoder()
