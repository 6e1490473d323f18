import type { Draft } from '../draft.ts'
import { text, textOrNumber } from '../kinds.ts'
import type { At, Item } from '../notes.ts'
import { isForeign, type Platform, type Platforms } from '../platform.ts'
import { type Key, keyOf } from '../secrets.ts'
import { type Described, variableFor } from '../servers.ts'
import type { Path } from '../source.ts'

/** The first of a target and those around it that has a field; the target itself if none has. */
export type Having = (...keys: readonly string[]) => Item

/** Who answers for a target. */
export interface Who {
  readonly platform: Platform
  readonly key?: Key | undefined
  readonly keyAt: Path
  /** What the provider is called. */
  readonly name?: string | undefined
  /** The variable for its address, which Portkey keeps. */
  readonly addressIn?: string | undefined
  /** What is to be told of its key. */
  readonly told?: string | undefined
  /** The model that follows the name of the provider: `@openai-prod/gpt-4o`. */
  readonly model?: string | undefined
}

/** A provider that is named, or one that Portkey keeps; undefined, and told, if there is none for it. */
export function whoIs(
  having: Having,
  asked: string | undefined,
  { draft, platforms }: { readonly draft: Draft; readonly platforms: Platforms },
  at: At,
): Who | undefined {
  const item = having('provider', 'virtual_key')
  const given = item.text('provider', at)
  const virtual = item.text('virtual_key', at)
  const [, slug, model] = /^@([^/]+)(?:\/(.+))?$/.exec(asked?.startsWith('@') ? asked : (given ?? '')) ?? []
  if (virtual !== undefined) return keptKey(item, virtual, given, { draft, platforms }, at)
  if (slug !== undefined) return keptProvider(item, slug, model, { draft, platforms }, at)
  const platform = given === undefined ? undefined : platforms.find(given)
  if (!platform) {
    item.notes.lost(
      item.path,
      `${given === undefined ? 'it names no' : 'there is no such'} provider: the target is left out`,
      at,
    )
    return undefined
  }
  item.notes.carried(item.at('provider'))
  const holder = having('api_key')
  const key = holder.text('api_key', at)
  return { platform, key: key === undefined ? undefined : keyOf(key), keyAt: holder.at('api_key') }
}

/** A virtual key: a name for a key, and as good as one for whoever is let in, so that it is not copied either. */
function keptKey(
  item: Item,
  virtual: string,
  given: string | undefined,
  { draft, platforms }: { readonly draft: Draft; readonly platforms: Platforms },
  at: At,
): Who | undefined {
  const platform = (given !== undefined && platforms.find(given)) || platforms.within(virtual)
  const keyAt = item.at('virtual_key')
  if (given !== undefined) item.notes.carried(item.at('provider'))
  if (!platform && isForeign(virtual)) {
    item.notes.lost(item.path, 'there is no such provider: the target is left out', at)
    return undefined
  }
  if (platform)
    return { platform, key: { literal: virtual }, keyAt, told: `taken for one of ${platform.names[0]} by its name` }
  const addressIn = `PROVIDER_${draft.numberOf(virtual)}_BASE_URL`
  return {
    platform: platforms.anyServer,
    key: { literal: virtual },
    keyAt,
    name: 'provider',
    addressIn,
    told: `its address goes into ${addressIn}`,
  }
}

/** A provider of Portkey's catalog, by its name there. */
function keptProvider(
  item: Item,
  slug: string,
  model: string | undefined,
  { draft, platforms }: { readonly draft: Draft; readonly platforms: Platforms },
  at: At,
): Who | undefined {
  const platform = platforms.within(slug)
  if (!platform && isForeign(slug)) {
    item.notes.lost(item.path, 'there is no such provider: the target is left out', at)
    return undefined
  }
  const name = slug.replaceAll(/[^\w.-]+/g, '-').slice(0, 60)
  const variable = variableFor(name)
  const word = variable.replace(/_API_KEY$/, '')
  draft.variables.add(variable)
  const guess = platform ? `taken for ${platform.names[0]} by its name` : `its address goes into ${word}_BASE_URL`
  return {
    platform: platform ?? platforms.anyServer,
    key: { variable },
    keyAt: item.has('provider') ? item.at('provider') : item.path,
    name,
    model,
    addressIn: platform ? undefined : `${word}_BASE_URL`,
    told: `Portkey keeps its key: put it into ${variable}; ${guess}`,
  }
}

/** Where the provider is. */
export function placeOf(
  having: Having,
  { platform, addressIn }: Who,
  at: At,
): Pick<Described, 'address' | 'addressAt' | 'version' | 'settings'> {
  const host = having('custom_host')
  const resource = having('resource_name', 'azure_resource_name')
  const field = resource.has('resource_name') ? 'resource_name' : 'azure_resource_name'
  const named = resource.text(field, at)
  const given = host.text('custom_host', at)
  const version = having('api_version').take('api_version', textOrNumber, { at })
  const settings = (platform.settings ?? []).flatMap((setting) => {
    const value = having(`openai_${setting}`).take(`openai_${setting}`, text, { at })
    return value === undefined ? [] : [[setting, value] as const]
  })
  const azure = named !== undefined && /^[\w-]+$/.test(named) ? `https://${named}.openai.azure.com` : undefined
  return {
    address: given ?? azure ?? (addressIn === undefined ? undefined : `\${${addressIn}}`),
    addressAt: given !== undefined ? host.at('custom_host') : azure !== undefined ? resource.at(field) : host.path,
    version,
    settings: Object.fromEntries(settings),
  }
}
