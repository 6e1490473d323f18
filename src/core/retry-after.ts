import { isObject, tryParse } from '../wire/json.ts'

/** An error response, as far as it may say when to come again. */
export interface Asking {
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  /** The parsed body, or its text; undefined if there is none. */
  readonly body: unknown
  /** The upstream's own words. */
  readonly message: string
  /** Whether the failure passes by itself: what isn't a plain request to wait counts then only. */
  readonly passes: boolean
  /** Whether it is over its rate: the end of a window counts then only. */
  readonly limited: boolean
  /** Milliseconds since 1970. */
  readonly now: number
}

type Headers = Asking['headers']

/** Milliseconds: one day. Longer or absurd waits are reduced to it. */
const longest = 86_400_000

/**
 * How long an upstream asks to wait, in milliseconds; undefined if it doesn't say. A header that says so outranks the
 * message, which is more exact than the body's fields, and these say more than when a window ends.
 */
export function readRetryAfter({ headers, body, message, passes, limited, now }: Asking): number | undefined {
  const plain = askedByHeaders(headers, now)
  if (plain !== undefined || !passes) return bounded(plain)
  const fields = fieldsIn(body, now)
  const inner = fields.headers
  return bounded(
    waitIn(message) ??
      fields.ms ??
      (inner && askedByHeaders(inner, now)) ??
      (limited ? (resetIn(headers, now) ?? (inner && resetIn(inner, now))) : undefined),
  )
}

function bounded(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.min(ms, longest)
}

/** Azure has a name of its own for the milliseconds, and Hugging Face a draft's `RateLimit: …;t=N`. */
function askedByHeaders(headers: Headers, now: number): number | undefined {
  for (const name of ['retry-after-ms', 'x-ms-retry-after-ms']) {
    const ms = Number.parseFloat(headers[name] ?? '')
    if (ms > 0) return ms
  }
  const after = headers['retry-after'] ?? /;\s*t=(\d+)/.exec(headers.ratelimit ?? '')?.[1] ?? ''
  if (/^\d+(\.\d+)?$/.test(after)) return Number.parseFloat(after) * 1000
  const until = dateIn(after)
  return until === undefined ? undefined : Math.max(0, until - now)
}

/** A date contains the name of a month, or is ISO's; without that check `Date.parse` would accept much else. */
function dateIn(text: string): number | undefined {
  const at = /[a-z]{3}|^\d{4}-\d\d-\d\dT/i.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(at) ? undefined : at
}

const unit = '(?:ms|milliseconds?|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d)(?![a-z])'
const duration = String.raw`\d{1,12}(?:\.\d{1,12})? ?${unit}`
const durations = `${duration}(?:,? ?(?:and )?${duration}){0,3}`
const whole = new RegExp(`^${durations}$`, 'i')
const sentence = new RegExp(
  String.raw`\b(?:(?:re)?try(?: again| your request)?|come back|wait|resets?)(?: in| after| for)?(?: at least| about| approximately)? (${durations})`,
  'i',
)

/** "Please try again in 6m0s." (OpenAI, Groq), "retry after 2 seconds" (Azure), "wait 43123 seconds" (GitHub Models). */
export function waitIn(message: string): number | undefined {
  return positive(durationIn(sentence.exec(message)?.[1] ?? ''))
}

const factors: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Milliseconds of `1m30.5s`, `120ms`, `2 minutes`; undefined if there is no number with a unit. */
function durationIn(text: string): number | undefined {
  let sum: number | undefined
  for (const [, count, name = ''] of text.matchAll(/(\d+(?:\.\d+)?) ?([a-z]+)/gi)) {
    const factor = /^(ms|milli)/i.test(name) ? 1 : (factors[name[0]?.toLowerCase() ?? ''] ?? 0)
    sum = (sum ?? 0) + Number(count) * factor
  }
  return sum
}

function positive(ms: number | undefined): number | undefined {
  return ms !== undefined && ms > 0 ? ms : undefined
}

interface Fields {
  readonly now: number
  ms?: number
  headers?: Headers
}

/** Levels and entries of a body that are searched. */
const depth = 12
const mostEntries = 50

/** The first wait in a body, and the provider's own headers, which OpenRouter has in `metadata.headers`. */
function fieldsIn(body: unknown, now: number): Fields {
  const found: Fields = { now }
  search(body, depth, found)
  return found
}

function search(value: unknown, depth: number, found: Fields): void {
  if (depth === 0 || found.ms !== undefined) return
  if (typeof value === 'string' && /^\s*[[{]/.test(value)) search(tryParse(value), depth - 1, found)
  if (typeof value !== 'object' || value === null) return
  for (const [key, inner] of Object.entries(value).slice(0, mostEntries)) {
    const ms = fieldWait(key, inner, found.now)
    if (ms !== undefined) found.ms ??= ms
    else if (key === 'headers' && isObject(inner)) found.headers ??= headersIn(inner)
    else search(inner, depth - 1, found)
  }
}

/** Names that hold a wait, in seconds where it has no unit. `estimated_time`: Hugging Face's for a model that loads. */
const waits = /^(?:retry_?(?:after|delay)|estimated_time)(_?(?:ms|s|sec|seconds))?$/i

function fieldWait(key: string, value: unknown, now: number): number | undefined {
  const match = waits.exec(key)
  if (!match || (typeof value !== 'string' && typeof value !== 'number')) return undefined
  const ms = momentIn(String(value), now)
  return positive(ms !== undefined && /ms$/i.test(match[1] ?? '') ? ms / 1000 : ms)
}

function headersIn(fields: object): Headers {
  const texts = Object.entries(fields).slice(0, mostEntries)
  return Object.fromEntries(texts.map(([name, value]) => [name.toLowerCase(), String(value)]))
}

const reset = /^(?:x-)?ratelimit-reset(?:-|$)|^anthropic-ratelimit-[a-z-]+-reset$/

/**
 * Until the window ends whose allowance is used up: the last of several. If nothing is said of what remains, any of them
 * may be the one, so the first is worth a try.
 */
function resetIn(headers: Headers, now: number): number | undefined {
  const ends = Object.keys(headers).flatMap((name) => {
    const ms = reset.test(name) ? momentIn(headers[name] ?? '', now) : undefined
    const left = headers[name.replace('reset', 'remaining')]
    return ms === undefined || ms <= 0 || Number(left) > 0 ? [] : [{ ms, isUsedUp: left !== undefined }]
  })
  const usedUp = ends.filter(({ isUsedUp }) => isUsedUp).map(({ ms }) => ms)
  if (usedUp.length > 0) return Math.max(...usedUp)
  return ends.length > 0 ? Math.min(...ends.map(({ ms }) => ms)) : undefined
}

/** Milliseconds until what servers give as a date, as seconds or milliseconds since 1970, or as a duration. */
function momentIn(text: string, now: number): number | undefined {
  if (/^\d+(\.\d+)?$/.test(text)) {
    const number = Number(text)
    return number > 1e11 ? number - now : number > 1e9 ? number * 1000 - now : number * 1000
  }
  if (whole.test(text)) return durationIn(text)
  const at = dateIn(text)
  return at === undefined ? undefined : at - now
}
