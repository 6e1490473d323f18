import type { Registry } from './config/providers.ts'
import type { Catalog } from './core/catalog.ts'
import type { Provider } from './core/provider.ts'
import type { Gateway } from './gateway.ts'
import type { Access } from './http/access.ts'
import { printable } from './log.ts'

/** How many names of a long list are shown. */
const shown = 4
/** Where commands look for a gateway unless they are told. */
const usual = 'http://127.0.0.1:8787'

/** The text that a user sees at start: where the gateway listens, what was found, what is missing, what to try. */
export function startText({
  gateway,
  file,
  addable,
  url,
  access,
  made,
  manages = false,
  workers = [],
}: {
  gateway: Gateway
  /** The configuration; undefined: there is none. */
  file: string | undefined
  /** What the environment could add: nothing to providers that were configured, which are used and no others. */
  addable: Registry
  url: string
  access: Access
  /** Keys that are not in the configuration: whether this process knows that there are none. Undefined: there can't be any. */
  made?: 'none' | 'unknown' | undefined
  /** Whether there is a key that makes others. */
  manages?: boolean
  /** Process ids if there are several workers. */
  workers?: readonly number[]
}): string {
  const { catalog, knowledge } = gateway
  const none = 'none in this folder, so what is available is served'
  const lines = [`samewire listens on ${url}/v1`, '', `  configuration  ${file ?? none}`, '']
  for (const provider of catalog.providers.values()) {
    const models = [...(knowledge.known.get(provider.name)?.keys() ?? [])]
    lines.push(`  ${provider.name.padEnd(14)} ${stateOf(provider, models)}`)
  }
  const present = new Set([...catalog.providers.values()].map(({ definition }) => definition.type))
  for (const { type, name = type, title, env: brings, answers, probe } of Object.values(addable)) {
    const variable = probe ? brings?.baseURL : brings?.apiKey
    if (present.has(type) || !variable || !(answers || probe)) continue
    lines.push(`  ${name.padEnd(14)} not configured: set ${variable} to add ${title}`)
  }
  const names = [...catalog.models.keys()]
  if (names.length > 0) lines.push('', `  models         ${listText(names)}`)
  if (workers.length > 0)
    lines.push('', `  workers        ${workers.length} processes: ${listText(workers.map(String))}`)
  lines.push('', `  missing models ${fateOfMissing(catalog)}`)
  if (access.mode === 'open') {
    const isOpen = made === 'unknown' ? 'no key required unless some were made' : 'no key required'
    lines.push(`  ${isOpen}: only programs on this machine can use it`)
    if (made) lines.push('  to make keys, set SAMEWIRE_ADMIN_KEY: from then on each request needs one')
  }
  // Those of the configuration are known to whoever has written it.
  if (access.mode === 'keys' && access.keys.length === 0) {
    const elsewhere = url === usual ? '' : ` --url ${url}`
    const command = `SAMEWIRE_ADMIN_KEY=… npx samewire keys create NAME${elsewhere}`
    const how = manages ? `, which this makes and prints: ${command}` : ': to make more, set SAMEWIRE_ADMIN_KEY'
    lines.push(`  each request needs a key${how}`)
  }
  const key = access.mode === 'keys' ? ` -H "authorization: Bearer $SAMEWIRE_KEY"` : ''
  const model = catalog.fallback ?? names[0] ?? firstListed(gateway) ?? 'MODEL'
  // A quote in a name would end the quoted text in the user's shell.
  const body = JSON.stringify({ model, messages: [{ role: 'user', content: 'hi' }] }).replaceAll("'", "'\\''")
  lines.push('', `  curl ${url}/v1/chat/completions${key} -H 'content-type: application/json' -d '${body}'`, '')
  return lines.map(printable).join('\n')
}

/** What becomes of requests for missing models, as the rest of a sentence. */
export function fateOfMissing({ fallback, missing }: Catalog): string {
  if (!fallback) return 'get a 404: set `fallback` to have another model answer'
  const errors = Object.entries(missing).flatMap(([kind, policy]) => (policy === 'error' ? [kind] : []))
  return `are answered by ${fallback}${errors.length > 0 ? `, but not where \`missing\` says error: ${errors.join(', ')}` : ''}`
}

function firstListed({ knowledge }: Gateway): string | undefined {
  for (const [provider, list] of knowledge.known) for (const id of list.keys()) return `${provider}/${id}`
  return undefined
}

function stateOf(provider: Provider, models: readonly string[]): string {
  if (provider.unavailable) return `not usable: ${provider.unavailable}`
  const where = provider.definition.serve ? provider.definition.title : provider.settings.baseURL
  if (models.length > 0) return `${where}: ${listText(models)}`
  return `${where} ${provider.definition.probe ? 'lists no models: is it running?' : '(no list of models)'}`
}

function listText(names: readonly string[]): string {
  const more = names.length > shown ? ` and ${names.length - shown} more` : ''
  return names.slice(0, shown).join(', ') + more
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host)
}

export function urlOf(host: string, port: number): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}
