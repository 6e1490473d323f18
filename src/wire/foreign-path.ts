import { invalid } from './body.ts'
import { GatewayError } from './errors.ts'

/** A path below `/v1` that the gateway doesn't serve itself, as it goes on to a provider. */
export interface ForeignPath {
  /** As the client wrote it, without `/v1`, with the query. */
  readonly path: string
  /** Its first segment, such as `files`. */
  readonly family: string
}

/**
 * What OpenAI's API has besides models' answers. Newer families are passed on too, from `/v1`; these are also known
 * without it, since some clients leave it out.
 */
const families: ReadonlySet<string> = new Set([
  ...['assistants', 'threads', 'files', 'uploads', 'batches', 'fine_tuning', 'fine-tunes', 'vector_stores'],
  ...['containers', 'evals', 'videos', 'realtime', 'skills', 'chatkit', 'conversations', 'responses', 'agents', 'live'],
  ...['decisions', 'vaults', 'webhook_endpoints', 'safety', 'content_provenance_checks', 'audio', 'images', 'models'],
  ...['chat', 'organization', 'organizations', 'projects'],
])

/** Whole organizations are managed here: never with a key that the caller doesn't hold. */
const administrative: ReadonlySet<string> = new Set(['organization', 'organizations', 'projects'])

/** What the gateway doesn't serve of the families whose other requests it does. */
const others: Readonly<Record<string, RegExp>> = {
  models: /^DELETE \/models\/./,
  audio: /^\w+ \/audio\/(?!(speech|transcriptions|translations)\b)/,
  images: /^\w+ \/images\/(?!(generations|edits|variations)\b)/,
  // The answers that a provider has stored.
  chat: /^(GET|HEAD) \/chat\/\w+\/?(\?|$)|^\w+ \/chat\/\w+\/[^?]/,
}

/** Whether the gateway itself serves nothing of the kind. */
export function isForOthers(method: string, { family, path }: ForeignPath): boolean {
  return families.has(family) && (others[family]?.test(`${method} ${path}`) ?? true)
}

export function isAdministrative({ family }: ForeignPath): boolean {
  return administrative.has(family)
}

/** Reads the path of a URL. Undefined if it is none of OpenAI's; throws a 400 for one that could lead elsewhere. */
export function readForeignPath(url: string): ForeignPath | undefined {
  const start = url.indexOf('/', url.indexOf('://') + 3)
  const whole = start < 0 ? '/' : url.slice(start).replace(/#.*$/s, '')
  const [raw = '', query] = split(whole)
  // Azure's paths have another beginning.
  const joined = raw.replace(/\/{2,}/g, '/').replace(/^\/openai(\/v1)?\//, '/v1/')
  const versioned = /^\/v1\//.test(joined)
  const path = versioned ? joined.slice('/v1'.length) : joined
  const family = familyOf(path)
  if (family === '' || (!versioned && !families.has(family))) return undefined
  // No family has such a name, and servers differ in what they read there.
  if (!/^\/[\w.:-]+(\/|$)/.test(decoded(path))) throw leadsElsewhere()
  return { path: query === undefined ? path : `${path}?${query}`, family }
}

function split(whole: string): [string, string?] {
  const mark = whole.indexOf('?')
  return mark < 0 ? [whole] : [whole.slice(0, mark), whole.slice(mark + 1)]
}

/**
 * The family as the most lenient of servers and proxies would read it: one that decodes again and again, and leaves out
 * parameters and what can't be printed. Throws a 400 if one of them might end up at another API.
 */
function familyOf(path: string): string {
  const plain = fullyDecoded(path)
  const segments = plain.split('/').map((segment) => segment.replace(/;.*$/s, '').replace(/[\p{C}\p{Z}]+/gu, ''))
  if (plain.includes('\\') || segments.some((segment) => /^\.\.?$/.test(segment))) throw leadsElsewhere()
  const first = segments.find((segment) => segment !== '' && !prefixes.test(segment)) ?? ''
  return /^[\w-]*/.exec(first.toLowerCase())?.[0] ?? ''
}

/** Beginnings of paths, by which some servers have the same API several times. */
const prefixes = /^(v\d\w*|openai|api)$/i
/** Levels of encoding; more of them have no use, and take time. */
const mostLevels = 4

function fullyDecoded(path: string): string {
  let plain = decoded(path)
  for (let level = 1; /%(u[\da-f]{2})?[\da-f]{2}/i.test(plain); level++) {
    if (level === mostLevels || /%u/i.test(plain)) throw leadsElsewhere()
    plain = plain.replace(/(%[\da-f]{2})+/gi, decoded)
  }
  return plain.normalize('NFKC')
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new GatewayError('bad_request', 'The path is not percent-encoded correctly.')
  }
}

function leadsElsewhere(): GatewayError {
  return invalid('The path must not contain segments that lead elsewhere.')
}
