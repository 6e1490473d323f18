/** Where Ollama listens when an address names neither a scheme nor a port. */
const usualPort = 11434

/**
 * The root of a server as `OLLAMA_HOST` may name it: `0.0.0.0`, `:8080`, `[::1]`, `host:port`, `https://ollama.com`,
 * with or without a trailing slash, `/v1` or `/api`. Ports are filled in as Ollama does: 11434 without a scheme, else
 * the scheme's own. Without a trailing slash. Throws a `TypeError` for what is no address.
 */
export function ollamaURL(host: string): string {
  const url = new URL(withScheme(host.trim().replace(/^["']|["']$/g, '')))
  // An address to listen on is none to call.
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
