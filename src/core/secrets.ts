import { undone } from '../wire/escapes.ts'
import type { Provider, ProviderSettings } from './provider.ts'

/** Minimum length in characters; shorter values are words such as `ollama` or `true`. */
const secretLength = 8
/** Characters of a secret that reveal something of it; also the length of prefixes such as `sk-`. */
const startLength = 5
/** Characters of a text that are searched. No message is that long, and some error bodies are endless. */
const searched = 64 * 1024

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
 * JSON-escaped, URL-encoded, inside base64 such as that of a basic authorization, or cut. Takes time that grows with
 * the text and the secrets only. A text beyond 64 K characters is cut.
 */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  const start = text.slice(0, searched)
  const { text: plain, starts, ends } = undone(start)
  const found: Span[] = []
  for (const { pattern, least } of secrets.filter(({ length }) => length >= secretLength).flatMap(formsOf)) {
    const head = pattern.slice(0, least)
    for (let at = plain.indexOf(head); at >= 0; at = plain.indexOf(head, at)) {
      const end = at + commonLength(plain, at, pattern)
      found.push([starts[at] as number, ends[end - 1] as number])
      at = end
    }
    const cut = startAtEnd(plain, pattern)
    if (cut > 0) found.push([starts[plain.length - cut] as number, start.length])
  }
  return replaced(start, found)
}

type Span = readonly [start: number, end: number]

/** A spelling of a secret, and how many of its first characters give it away. */
interface Form {
  readonly pattern: string
  readonly least: number
}

function formsOf(secret: string): readonly Form[] {
  const plain = undone(secret).text
  // The upstream may have cut it too.
  const own = { pattern: plain, least: Math.min(plain.length, Math.max(secretLength, Math.ceil(plain.length / 2))) }
  const encoded = [...inBase64(secret), hexOf(secret), hexOf(secret).toUpperCase()]
  return [own, ...encoded.map((pattern) => ({ pattern, least: pattern.length }))].filter(({ least }) => least > 0)
}

/** The characters that are the same whatever surrounds the secret, for each of the three places where it may begin. */
function inBase64(secret: string): readonly string[] {
  const bytes = encoder.encode(secret)
  const forms = [0, 1, 2].flatMap((before) => {
    let shifted = '\0'.repeat(before)
    for (const byte of bytes) shifted += String.fromCharCode(byte)
    const whole = btoa(shifted).slice(Math.ceil((before * 8) / 6), Math.floor((shifted.length * 8) / 6))
    return [whole, whole.replaceAll('+', '-').replaceAll('/', '_')]
  })
  return [...new Set(forms)]
}

function hexOf(secret: string): string {
  return Array.from(encoder.encode(secret), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

const encoder = new TextEncoder()

function commonLength(text: string, at: number, pattern: string): number {
  let length = 0
  while (length < pattern.length && text[at + length] === pattern[length]) length++
  return length
}

/** How many characters at the end of a text, which may have been cut there, begin the pattern; 0 if too few. */
function startAtEnd(text: string, pattern: string): number {
  for (let length = Math.min(pattern.length, text.length); length >= startLength; length--) {
    if (text.endsWith(pattern.slice(0, length))) return length
  }
  return 0
}

function replaced(text: string, found: readonly Span[]): string {
  let left = ''
  let kept = 0
  for (const [start, end] of [...found].sort(([a], [b]) => a - b)) {
    if (end <= kept) continue
    left += start >= kept ? `${text.slice(kept, start)}***` : ''
    kept = end
  }
  return left + text.slice(kept)
}
