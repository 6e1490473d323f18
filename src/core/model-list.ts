import { isObject } from '../wire/json.ts'
import { entriesOf, type ListedEntry, nextPage } from '../wire/model-list.ts'
import type { SlowPath } from './provider.ts'

/** The longest lists have some hundred models; a list that never ends must not be followed. */
const mostPages = 10
const mostModels = 10_000

/**
 * All models on a server's list, page by page, each once. Rejects if there is no list; a later page that fails ends it,
 * because what was read is better than nothing.
 */
export async function fetchModelList(
  address: string,
  headers: Record<string, string>,
  tools: SlowPath,
): Promise<ListedEntry[]> {
  const found = new Map<string, ListedEntry>()
  let url: URL | undefined = new URL(address)
  for (let pages = 0; url && pages < mostPages && found.size < mostModels; pages++) {
    const before = found.size
    try {
      const { page, link } = await fetchPage(url, headers, tools)
      const entries = entriesOf(page)
      for (const entry of entries) {
        if (!found.has(entry.id) && found.size < mostModels) found.set(entry.id, entry)
      }
      // A server that ignores the cursor sends its page again; one that filters may send an empty page before others.
      url = found.size > before || entries.length === 0 ? nextPage({ page, link, url }) : undefined
    } catch (error) {
      if (pages === 0) throw error
      break
    }
  }
  return [...found.values()]
}

async function fetchPage(url: URL, headers: Record<string, string>, { fetch, signal }: SlowPath) {
  const response = await fetch(url.href, { headers, signal })
  if (!response.ok) throw new Error(`no list: HTTP ${response.status}`)
  const page: unknown = await response.json()
  if (!isObject(page) && !Array.isArray(page)) throw new Error('no list: no JSON object or array')
  return { page, link: response.headers.get('link') }
}
