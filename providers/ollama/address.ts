/** Ollama's port, for addresses with neither a scheme nor a port. */
const usualPort = 11434

/**
 * The root URL for the forms that `OLLAMA_HOST` may have: `0.0.0.0`, `:8080`, `[::1]`, `host:port`,
 * `https://ollama.com`, with or without a trailing slash, `/v1` or `/api`. Default ports are Ollama's: 11434 without a
 * scheme, else that of the scheme. The result has no trailing slash. Throws a `TypeError` for an invalid address.
 */
export function ollamaURL(host: string): string {
  const url = new URL(withScheme(host.trim().replace(/^["']|["']$/g, '')))
  // Servers listen on these addresses, but clients can't connect to them.
  if (url.hostname === '0.0.0.0') url.hostname = '127.0.0.1'
  if (url.hostname === '[::]') url.hostname = '[::1]'
  const path = url.pathname.replace(/\/+$/, '').replace(/\/(v1|api)$/, '')
  return `${url.protocol}//${url.host}${path}`
}

function withScheme(text: string): string {
  if (/^[a-z]+:\/\//i.test(text)) return text
  const slash = text.indexOf('/')
  const authority = slash < 0 ? text : text.slice(0, slash)
  const path = slash < 0 ? '' : text.slice(slash)
  if (/^ollama\.com$/i.test(authority)) return `https://${authority}${path}`
  return `http://${withPort(authority)}${path}`
}

function withPort(authority: string): string {
  if (/^:\d+$/.test(authority)) return `127.0.0.1${authority}`
  const bareIPv6 = !authority.startsWith('[') && authority.split(':').length > 2
  const host = bareIPv6 ? `[${authority}]` : authority || '127.0.0.1'
  return /:\d+$/.test(host) ? host : `${host}:${usualPort}`
}
