import { describe } from '../wire/body.ts'
import { isObject } from '../wire/json.ts'
import { Draft } from './draft.ts'
import { isCopied, requestFields } from './fields.ts'
import type { Imported } from './imported.ts'
import { type At, Item, Notes, settled } from './notes.ts'
import type { Platforms } from './platform.ts'
import { looksLikeKey } from './secrets.ts'
import { ImportError, type Source } from './source.ts'

/**
 * The models of a request to OpenRouter, or a list of their names: one model that tries them in this order. Its other
 * fields become defaults. https://openrouter.ai/docs/guides/routing/model-fallbacks
 */
export function importModels(source: Source, platforms: Platforms, name = 'default'): Imported {
  const { value } = source
  if (!isObject(value) && !Array.isArray(value)) {
    throw new ImportError(`line 1: found ${describe(value)}; allowed: an object with "models", or a list of names`)
  }
  const notes = new Notes()
  const draft = new Draft(notes)
  const platform = platforms.all.find(({ router }) => router)
  const item = new Item(Array.isArray(value) ? { models: value } : value, [], notes)
  const model = draft.model(name)
  const first = item.text('model')
  const entries = [
    ...(first === undefined ? [] : [{ value: first as unknown, path: item.at('model') }]),
    ...item
      .list('models')
      .map(({ value: entry, path }) => ({ value: entry, path: Array.isArray(value) ? path.slice(1) : path })),
  ]
  const at: At = () => ['models', name]
  const params = paramsOf(item, at)
  const names = new Set<string>()
  for (const { value: entry, path } of entries) {
    if (typeof entry !== 'string' || entry.trim() === '' || entry.includes('*') || looksLikeKey(entry)) {
      notes.lost(
        path,
        `found ${typeof entry === 'string' ? 'no name of a model' : describe(entry)}; allowed: a name`,
        at,
      )
      continue
    }
    notes.carried(path)
    if (names.has(entry) || !platform) continue
    names.add(entry)
    const provider = draft.provider({
      wanted: platform.names[0] ?? '',
      config: { type: platform.type },
      key: undefined,
      variable: '',
      keyAt: path,
    })
    const order = names.size > 1 ? { order: names.size } : {}
    const own = Object.keys(params).length > 0 ? { params } : {}
    model.deployments.push({ provider, model: entry, fields: { ...order, ...own } })
  }
  return { configuration: draft.build(), notes: settled(notes.list), variables: draft.variables }
}

function paramsOf(item: Item, at: At): Record<string, unknown> {
  const params: Record<string, unknown> = {}
  if (item.has('route')) item.notes.carried(item.at('route'), 'models are tried in their order')
  item.raw('route')
  for (const key of ['messages', 'prompt', 'stream']) {
    if (item.raw(key) !== undefined) item.notes.lost(item.at(key), 'a part of one request', at)
  }
  for (const key of item.unread()) {
    if (!requestFields.has(key)) continue
    const value = item.raw(key)
    if (!isCopied(value, item.at(key), item.notes, at)) continue
    item.notes.carried(item.at(key))
    params[key] = value
  }
  item.loseRest('no field that is known here', at)
  return params
}
