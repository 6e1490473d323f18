/**
 * The path that a route is looked up by: without `/v1`, doubled slashes or a trailing one. Clients differ in what
 * they make of a base URL; percent-encoding stays, since model ids hold encoded slashes.
 */
export function routePath(url: string): string {
  const start = url.indexOf('/', url.indexOf('://') + 3)
  const query = url.search(/[?#]/)
  const end = query < 0 ? url.length : query
  let path = start < 0 || start > end ? '/' : url.slice(start, end)
  if (path.includes('//')) path = path.replace(/\/{2,}/g, '/')
  if (path === '/v1' || path.startsWith('/v1/')) path = path.slice('/v1'.length)
  if (path.endsWith('/')) path = path.slice(0, -1)
  return path === '' ? '/' : path
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
