import { isObject, type JsonObject, stringAt } from './json.ts'

/** A model on a list, with all that the server says about it. */
export interface ListedEntry {
  readonly id: string
  readonly fields: JsonObject
}

/** The keys under which servers keep their list; the first with entries counts, since some fill two. */
const listKeys = ['data', 'models', 'result', 'items'] as const

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

/** How servers name a cursor in a page, and the parameter that takes it. */
const cursors: readonly (readonly [string, string])[] = [
  ['next_page_token', 'page_token'],
  ['nextPageToken', 'pageToken'],
  ['next_cursor', 'cursor'],
  ['nextCursor', 'cursor'],
]

/** The address of the next page; undefined after the last. Never on another host: the request carries the API key. */
export function nextPage({ page, link, url }: PageEnd): URL | undefined {
  const next = linkOf(page) ?? /<([^>]*)>[^,]*;\s*rel="?next"?/i.exec(link ?? '')?.[1]
  if (next !== undefined) return sameHost(next, url)
  for (const [key, parameter] of cursors) {
    const cursor = stringAt(page, key)
    if (cursor) return withParameter(url, parameter, cursor)
  }
  if (!isObject(page) || (page.has_more !== true && page.hasMore !== true)) return undefined
  // Some gateways say that there is more, and leave the cursor null: it is the last id of the page.
  const last = entriesOf(page).at(-1)
  const cursor = stringAt(page, 'last_id') || stringAt(page, 'after') || last?.id
  // Anthropic's entries have a `type` where OpenAI's have an `object`.
  return cursor ? withParameter(url, last?.fields.type === 'model' ? 'after_id' : 'after', cursor) : undefined
}

/** `next`, `next_url`, or `links.next`, as a text or with an `href`. */
function linkOf(page: unknown): string | undefined {
  if (!isObject(page)) return undefined
  const candidates = [page, page.links, page._links].flatMap((links) =>
    isObject(links) ? [links.next, links.next_url] : [],
  )
  const texts = candidates.map((candidate) => (isObject(candidate) ? candidate.href : candidate))
  return texts.find((text): text is string => typeof text === 'string' && /^(https?:\/\/|\/|\?)/.test(text))
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
