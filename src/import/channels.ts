import { describe } from '../wire/body.ts'
import { isObject, tryParse } from '../wire/json.ts'
import { Draft, type DraftDeployment } from './draft.ts'
import type { Imported } from './imported.ts'
import { count, weight } from './kinds.ts'
import { type At, Item, Notes, settled } from './notes.ts'
import type { Platforms } from './platform.ts'
import { keyOf, looksLikeKey } from './secrets.ts'
import { serverOf, variableFor } from './servers.ts'
import { ImportError, type Path, type Source } from './source.ts'

interface Channel {
  readonly model: string
  readonly deployment: DraftDeployment
  readonly priority: number
}

/**
 * The channels of one-api and its descendants, as `/api/channel` lists them: each name becomes a model with the channels
 * that have it, those of the highest priority first. https://github.com/songquanpeng/one-api
 */
export function importChannels(source: Source, platforms: Platforms): Imported {
  const { list, path } = listIn(source.value)
  const notes = new Notes()
  const draft = new Draft(notes)
  const channels = list.flatMap((value: unknown, index) =>
    channelsOf(new Item(value, [...path, index], notes), draft, platforms),
  )
  for (const [name, own] of Map.groupBy(channels, ({ model }) => model)) {
    const priorities = [...new Set(own.map(({ priority }) => priority))].sort((one, other) => other - one)
    const model = draft.model(name)
    const ordered = own.toSorted((one, other) => other.priority - one.priority)
    for (const { deployment, priority } of ordered) {
      const order = priorities.indexOf(priority) + 1
      model.deployments.push({ ...deployment, fields: { ...deployment.fields, ...(order > 1 && { order }) } })
    }
  }
  return { configuration: draft.build(), notes: settled(notes.list), variables: draft.variables }
}

function listIn(value: unknown): { readonly list: readonly unknown[]; readonly path: Path } {
  if (Array.isArray(value)) return { list: value, path: [] }
  const data = isObject(value) ? value.data : undefined
  if (Array.isArray(data)) return { list: data, path: ['data'] }
  if (isObject(data) && Array.isArray(data.items)) return { list: data.items, path: ['data', 'items'] }
  throw new ImportError(`line 1: found ${describe(value)}; allowed: a list of channels, or an object with it as "data"`)
}

/** One entry for each of a channel's models. */
function channelsOf(item: Item, draft: Draft, platforms: Platforms): Channel[] {
  const { notes } = item
  const top: At = () => ['models']
  const status = item.take('status', count) ?? 1
  const type = item.take('type', count) ?? 0
  if (!isObject(item.value)) return []
  if (status !== 1) {
    notes.lost(item.path, 'a channel that is switched off: left out', top)
    return []
  }
  const base = item.text('base_url', top)
  const known = platforms.ofChannel(type)
  const platform = known ?? platforms.anyServer
  if (!known && base === undefined) {
    notes.lost(item.path, `there is no provider for channels of the type ${type}: left out`, top)
    return []
  }
  const name = (item.text('name') ?? '').replaceAll(/[^\w.-]+/g, '-').replaceAll(/^-+|-+$/g, '')
  const called = name === '' || looksLikeKey(name) ? `channel-${item.path.at(-1)}` : name
  const key = item.text('key', top)
  // Their lists leave keys out.
  const exported = platform.keyless ? undefined : { variable: variableFor(called) }
  const served = serverOf(
    {
      platform,
      key: key === undefined ? exported : keyOf(key),
      keyAt: key === undefined ? item.path : item.at('key'),
      address: base === undefined ? undefined : addressOf(base, platform.unversioned),
      addressAt: item.at('base_url'),
      version: versionOf(item),
      name: called,
    },
    draft,
    notes,
    top,
  )
  if (!served) return []
  const { provider } = served
  if (key === undefined && exported) {
    notes.changed(item.path, `its key is not in the list: put it into ${exported.variable}`, () => [
      'providers',
      provider.name,
    ])
  }
  const share = item.take('weight', weight)
  const priority = Number(item.raw('priority') ?? 0) || 0
  if (item.has('priority')) notes.carried(item.at('priority'), 'as order')
  const fields = share !== undefined && share > 0 ? { weight: share } : {}
  const renamed = mappingOf(item)
  const models = (item.text('models', top) ?? '').split(',').map((model) => model.trim())
  tellRest(item, top)
  return models
    .filter((model) => model !== '' && !model.includes('*') && !looksLikeKey(model))
    .map((model) => {
      const own = renamed.get(model) ?? model
      const deployment = { provider, model: platform.model?.(own) ?? own, fields }
      return { model, deployment, priority }
    })
}

/** Their addresses have no version of the API; ours do, but where the provider's type adds it. */
function addressOf(base: string, unversioned = false): string {
  const plain = base.replace(/\/+$/, '')
  return !unversioned && /^https?:\/\/[^/]+$/.test(plain) ? `${plain}/v1` : plain
}

function versionOf(item: Item): string | undefined {
  const config = item.raw('config')
  const parsed = typeof config === 'string' ? tryParse(config) : config
  const version = isObject(parsed) ? parsed.api_version : undefined
  const other = item.raw('other')
  const found = typeof version === 'string' && version !== '' ? version : other
  return typeof found === 'string' && /^\d{4}-\d\d-\d\d/.test(found) ? found : undefined
}

function mappingOf(item: Item): Map<string, string> {
  const given = item.raw('model_mapping')
  if (given === undefined || given === '') return new Map()
  const parsed = typeof given === 'string' ? tryParse(given) : given
  if (!isObject(parsed)) {
    item.notes.lost(item.at('model_mapping'), 'no object of names')
    return new Map()
  }
  item.notes.carried(item.at('model_mapping'))
  const texts = Object.entries(parsed).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
  return new Map(texts)
}

/** What one-api keeps of its own about a channel. */
const ownFields = `id created_time test_time response_time balance balance_updated_time used_quota channel_info
  setting settings tag remark auto_ban openai_organization other_info`.split(/\s+/)

function tellRest(item: Item, at: At): void {
  for (const key of ownFields) item.raw(key)
  if (item.fields.group === 'default' || item.fields.group === '') item.raw('group')
  if (item.fields.system_prompt === '') item.raw('system_prompt')
  item.lose({
    group: 'there are no groups of users: all who have a key may use it',
    system_prompt: 'no instructions are added to requests',
  })
  for (const key of item.unread()) if (item.fields[key] === '') item.raw(key)
  item.loseRest('no setting of a deployment', at)
}
