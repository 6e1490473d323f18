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

/** Whether the gateway itself serves nothing of the kind. */
export function isForOthers({ family }: ForeignPath): boolean {
  return families.has(family) && family !== 'chat' && family !== 'models'
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
  const segments = path.slice(1).split('/').map(decoded)
  // A provider's server would resolve these, and the request might end up at another API.
  if (segments.some((segment) => /(^|\/)\.\.?(\/|$)|\\/.test(segment))) {
    throw invalid('The path must not contain segments that lead elsewhere.')
  }
  const family = (segments[0] ?? '').toLowerCase()
  if (family === '' || (!versioned && !families.has(family))) return undefined
  return { path: query === undefined ? path : `${path}?${query}`, family }
}

function split(whole: string): [string, string?] {
  const mark = whole.indexOf('?')
  return mark < 0 ? [whole] : [whole.slice(0, mark), whole.slice(mark + 1)]
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    throw new GatewayError('bad_request', 'The path is not percent-encoded correctly.')
  }
}
