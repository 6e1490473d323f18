import type { ProviderConfig } from '../config/schema.ts'
import type { Draft, DraftProvider } from './draft.ts'
import type { At, Notes } from './notes.ts'
import type { Placed, Platform } from './platform.ts'
import { isPlaceholder, type Key, plainAddress, variableIn } from './secrets.ts'
import type { Path } from './source.ts'

/** A server as the source describes it. */
export interface Described {
  readonly platform: Platform
  readonly key?: Key | undefined
  readonly keyAt: Path
  readonly address?: string | undefined
  readonly addressAt: Path
  readonly version?: string | undefined
  /** Further settings of the provider. */
  readonly settings?: Readonly<Record<string, unknown>>
  /** What the provider is called instead of by its platform or its address. */
  readonly name?: string | undefined
}

export interface Served {
  readonly provider: DraftProvider
  /** The model that the address names. */
  readonly model?: string | undefined
}

/** The provider for a server; undefined, and told, if there is none for it. */
export function serverOf(described: Described, draft: Draft, notes: Notes, lostAt: At): Served | undefined {
  const { platform, address, addressAt } = described
  const given = address === undefined ? undefined : addressOf(described, draft, notes, lostAt)
  if (address !== undefined && given === undefined) return undefined
  const usual = platform.baseURL
  const where = given?.url ?? usual
  const version = described.version ?? given?.version
  const placed =
    where !== undefined && platform.at
      ? platform.at(where, version)
      : { config: { type: platform.type, ...(where !== undefined && { baseURL: where }) } }
  for (const text of [where, version]) {
    const variable = text?.startsWith('env:') ? text.slice(4) : undefined
    if (variable) draft.variables.add(variable)
  }
  const config: ProviderConfig = { ...placed.config, ...described.settings }
  const wanted = described.name ?? nameFor(platform, given?.url)
  const own = platform.variable
  const provider = draft.provider({
    wanted,
    config,
    key: keyFor(described, config, draft, notes),
    variable: own ?? variableFor(wanted),
    keyAt: described.keyAt,
  })
  const { changed, model } = placed as Placed
  if (changed) notes.changed(addressAt, changed, () => ['providers', provider.name])
  return { provider, model }
}

/** A key that is told in the source, or the one that the platform usually has. */
function keyFor(
  { platform, key, keyAt, address }: Described,
  config: ProviderConfig,
  draft: Draft,
  notes: Notes,
): Key | undefined {
  if (!key) {
    if (platform.variable !== undefined) draft.variables.add(platform.variable)
    return platform.variable === undefined ? undefined : { variable: platform.variable }
  }
  if ('variable' in key) {
    notes.carried(keyAt)
    draft.variables.add(key.variable)
    const [name = ''] = platform.names
    // What the provider reads anyway.
    const usual = address === undefined && platform.variable === undefined && key.variable === variableFor(name)
    return usual ? undefined : key
  }
  const keyless = platform.keyless || (config.baseURL !== undefined && platform.variable === undefined)
  if (!keyless || !isPlaceholder(key.literal)) return key
  notes.changed(keyAt, 'a placeholder for a server that asks for no key; left out')
  return undefined
}

/** The variable for the key of a provider of this name. */
export function variableFor(name: string): string {
  const plain = name.replaceAll(/\W+/g, '_').toUpperCase()
  return `${/^\d/.test(plain) ? `SERVER_${plain}` : plain}_API_KEY`
}

function addressOf(
  { address = '', addressAt }: Described,
  draft: Draft,
  notes: Notes,
  lostAt: At,
): { readonly url: string; readonly version?: string | undefined } | undefined {
  const variable = variableIn(address)
  if (variable !== undefined) {
    notes.carried(addressAt)
    draft.variables.add(variable)
    return { url: `env:${variable}` }
  }
  const plain = plainAddress(address)
  if (!plain) {
    notes.lost(addressAt, 'no http or https address', lostAt)
    return undefined
  }
  if (plain.stripped) notes.changed(addressAt, 'without what the address has as user, query or fragment')
  else notes.carried(addressAt)
  return { url: plain.url, version: /[?&]api-version=([\w.-]+)/.exec(address)?.[1] }
}

/** `openai`, or for a server of one's own what its address calls it. */
function nameFor(platform: Platform, address: string | undefined): string {
  const [name = 'server'] = platform.names
  if (platform.baseURL !== undefined || address === undefined || address.startsWith('env:')) return name
  const { hostname, port } = new URL(address)
  const host = hostname.replace(/^(www|api)\./, '').replaceAll(/[^a-z0-9]+/gi, '-')
  return port ? `${host}-${port}` : host
}
