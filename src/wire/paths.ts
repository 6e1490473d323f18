/**
 * The path that a route is looked up by: without `/v1`, doubled slashes or a trailing one. Clients differ in what
 * they make of a base URL; percent-encoding stays, since model ids hold encoded slashes.
 */
export function routePath(url: string): string {
  const start = url.indexOf('/', url.indexOf('://') + 3)
  const query = /[?#]/.exec(url)?.index ?? url.length
  const path = start < 0 || start > query ? '/' : url.slice(start, query)
  const short = path
    .replace(/\/{2,}/g, '/')
    .replace(/^\/v1(?=\/|$)/, '')
    .replace(/\/$/, '')
  return short === '' ? '/' : short
}

/** A model id as it stands in a path: encoded or raw, with slashes and colons. Undefined when it can't be decoded. */
export function decodeId(text: string): string | undefined {
  try {
    // openai-python 0.27 encodes with `quote_plus`: a plus is a space that no model id has.
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
