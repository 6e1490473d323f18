/**
 * The path that routes are looked up by: without any `/v1`, double slashes and a trailing slash, since clients join base
 * URLs differently. Percent-encoding is kept, because model ids contain encoded slashes.
 */
export function routePath(url: string): string {
  const known = paths.get(url)
  if (known !== undefined) return known
  const path = readPath(url)
  if (url.length <= longest) {
    if (paths.size >= most) paths.clear()
    paths.set(url, path)
  }
  return path
}

/** The paths of recent URLs: nearly all requests are for the same few. */
const paths = new Map<string, string>()
const most = 500
/** Characters. */
const longest = 200

/** Azure's paths that differ from OpenAI's only in front: those of its version 1, and responses, which name no deployment. */
const azure = /^\/openai\/(v1\/|responses(\/|$))/

function readPath(url: string): string {
  const start = url.indexOf('/', url.indexOf('://') + 3)
  const query = url.search(/[?#]/)
  const end = query < 0 ? url.length : query
  let path = start < 0 || start > end ? '/' : url.slice(start, end)
  if (path.includes('//')) path = path.replace(/\/{2,}/g, '/')
  if (azure.test(path)) path = path.slice('/openai'.length)
  // Twice where a client adds it to a base URL that ends in it.
  while (path === '/v1' || path.startsWith('/v1/')) path = path.slice('/v1'.length)
  if (path.endsWith('/')) path = path.slice(0, -1)
  return path === '' ? '/' : path
}

/**
 * Decodes a model id in a path: encoded or raw, with slashes and colons. One that can't be decoded stays as it is: no
 * model has this name, and the client reads in the error what it asked for.
 */
export function decodeId(text: string): string {
  try {
    // openai-python 0.27 encodes with `quote_plus`: a plus would be a space, which no model id contains.
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
