import { isObject, type JsonObject, stringAt } from './json.ts'

/** A model on a list, with all that the server says about it. */
export interface ListedEntry {
  readonly id: string
  readonly fields: JsonObject
}

/** The keys under which servers keep their list; the first with entries counts, since some fill two. */
const listKeys = ['data', 'models', 'result', 'results', 'items'] as const

/**
 * The models on one page of a list, in the shape of OpenAI (`data`), Together (a bare array), Ollama, Cohere and Gemini
 * (`models`), as names alone, as one model, or as an object by name.
 */
export function entriesOf(page: unknown): ListedEntry[] {
  if (Array.isArray(page)) return page.flatMap(entryOf)
  if (!isObject(page)) return []
  for (const key of listKeys) {
    const entries = within(page[key])
    if (entries.length > 0) return entries
  }
  return []
}

function within(value: unknown): ListedEntry[] {
  if (!isObject(value)) return entriesOf(value)
  const nested = entriesOf(value)
  if (nested.length > 0) return nested
  const own = entryOf(value)
  if (own.length > 0) return own
  return Object.entries(value).flatMap(([id, fields]) =>
    isObject(fields) ? [{ id: nameOf(fields) ?? id, fields }] : [],
  )
}

function entryOf(entry: unknown): ListedEntry[] {
  if (typeof entry === 'string') return entry.trim() === '' ? [] : [{ id: entry, fields: {} }]
  const id = nameOf(entry)
  return id !== undefined && isObject(entry) ? [{ id, fields: entry }] : []
}

/** Ids that only the server's own catalog knows: Cloudflare's UUIDs, the `azureml://` addresses of GitHub Models. */
const internal = /^([a-z][\w+.-]*:\/\/|[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$)/i

/** The name that requests use. */
function nameOf(entry: unknown): string | undefined {
  const names = ['id', 'model', 'name'].map((key) => stringAt(entry, key)).filter((name) => name?.trim())
  return names.find((name) => name !== undefined && !internal.test(name)) ?? names[0]
}

/** What a page says about the next one. */
export interface PageEnd {
  readonly page: unknown
  /** The page's `link` header. */
  readonly link: string | null
  readonly url: URL
}

/** Where a page says what follows, besides its top level: Cloudflare, GPUStack, JSON:API, HAL. */
const places = ['result_info', 'pagination', 'meta', 'links', '_links'] as const

/** How servers name a cursor in a page, and the parameter that takes it. */
const cursors: readonly (readonly [string, string])[] = [
  ['next_page_token', 'page_token'],
  ['nextPageToken', 'pageToken'],
  ['next_cursor', 'cursor'],
  ['nextCursor', 'cursor'],
  ['next_offset', 'offset'],
  ['next_page', 'page'],
  ['nextPage', 'page'],
]
const links = ['next', 'next_url', 'next_page', 'next_page_url', 'nextPage'] as const
const currents = ['page', 'current_page', 'currentPage'] as const
const totals = ['total_pages', 'totalPages', 'totalPage', 'pages', 'last_page'] as const

/** The address of the next page; undefined after the last. Never on another host: the request carries the API key. */
export function nextPage({ page, link, url }: PageEnd): URL | undefined {
  const ends = isObject(page) ? [page, ...places.map((key) => page[key]).filter(isObject)] : []
  const next = linkIn(ends) ?? /<([^>]*)>[^,]*;\s*rel="?next"?/i.exec(link ?? '')?.[1]
  if (next !== undefined) return sameHost(next, url)
  for (const [key, parameter] of cursors) {
    const cursor = ends.map((end) => end[key]).find((value) => typeof value === 'number' || typeof value === 'string')
    if (cursor) return withParameter(url, parameter, String(cursor))
  }
  const more = ends.some((end) => end.has_more === true || end.hasMore === true)
  for (const end of ends) {
    const at = numberIn(end, currents)
    const last = numberIn(end, totals)
    if (at !== undefined && (last === undefined ? more : at < last)) return withParameter(url, 'page', String(at + 1))
  }
  if (!more) return undefined
  // Some gateways say that there is more, and leave the cursor null: it is the last id of the page.
  const last = entriesOf(page).at(-1)
  const cursor = stringAt(page, 'last_id') || stringAt(page, 'after') || last?.id
  // Anthropic's entries have a `type` where OpenAI's have an `object`.
  return cursor ? withParameter(url, last?.fields.type === 'model' ? 'after_id' : 'after', cursor) : undefined
}

/** A link to the next page, as a text or with an `href`. */
function linkIn(ends: readonly JsonObject[]): string | undefined {
  const found = ends.flatMap((end) => links.map((key) => end[key]))
  const texts = found.map((one) => (isObject(one) ? one.href : one))
  return texts.find((text): text is string => typeof text === 'string' && /^(https?:\/\/|\/|\?)/.test(text))
}

function numberIn(end: JsonObject, keys: readonly string[]): number | undefined {
  return keys.map((key) => end[key]).find((value) => typeof value === 'number')
}

function sameHost(next: string, url: URL): URL | undefined {
  if (!URL.canParse(next, url.href)) return undefined
  const found = new URL(next, url)
  if (found.hostname !== url.hostname || found.username !== '' || found.password !== '') return undefined
  // Behind a proxy a server takes itself for plain HTTP, or for the host without its port.
  found.protocol = url.protocol
  found.port = url.port
  return found
}

function withParameter(url: URL, parameter: string, value: string): URL {
  const next = new URL(url)
  next.searchParams.set(parameter, value)
  return next
}
