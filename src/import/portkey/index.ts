import type { ModelConfig } from '../../config/schema.ts'
import { describe } from '../../wire/body.ts'
import { isObject } from '../../wire/json.ts'
import { Draft } from '../draft.ts'
import type { Imported } from '../imported.ts'
import { count, milliseconds } from '../kinds.ts'
import { type At, type Item, Notes, settled } from '../notes.ts'
import type { Platforms } from '../platform.ts'
import { ImportError, type Path, type Source } from '../source.ts'
import { modelConditions } from './conditions.ts'
import { type Layer, layersOf } from './layers.ts'
import { itemOf } from './names.ts'
import { deploymentOf, tellRest } from './target.ts'

type Limits = { -readonly [K in 'timeout' | 'retries']?: Exclude<ModelConfig, string>[K] }
const mostRetries = 20

/** A gateway configuration, https://portkey.ai/docs/api-reference/inference-api/config-object: it becomes one model. */
export function importPortkey(source: Source, platforms: Platforms, name = '*'): Imported {
  const { value, path } = unwrapped(source)
  const notes = new Notes()
  const draft = new Draft(notes)
  for (const twice of source.twice)
    notes.lost(twice, 'there is another key of this name in the same object, which counts')
  const root = itemOf(value, path, notes)
  const conditions = modelConditions(root)
  const add = (model: string, item: Item, around: readonly Item[]) =>
    addModel(model, layersOf(item, around), { draft, platforms })
  if (conditions) {
    for (const [model, target] of conditions.models) add(model, target, [root])
    if (conditions.rest) add(name, conditions.rest, [root])
    tellAround(root)
  } else if (root.has('targets') || root.has('provider') || root.has('virtual_key') || hasModel(root))
    add(name, root, [])
  else {
    Object.assign(draft.settings, limitsOf([root]))
    tellRest(root, () => [])
  }
  return { configuration: draft.build(), notes: settled(notes.list), variables: draft.variables }
}

function hasModel(root: Item): boolean {
  const { override_params: params } = root.fields
  return isObject(params) && typeof params.model === 'string' && params.model.startsWith('@')
}

/** Portkey's exports have the configuration inside of `config`. */
function unwrapped({ value }: Source): { readonly value: Record<string, unknown>; readonly path: Path } {
  if (!isObject(value)) {
    throw new ImportError(`line 1: found ${describe(value)}; allowed: an object with "targets" or "provider"`)
  }
  return isObject(value.config) && !('targets' in value)
    ? { value: value.config, path: ['config'] }
    : { value, path: [] }
}

function addModel(
  name: string,
  layers: readonly Layer[],
  made: { readonly draft: Draft; readonly platforms: Platforms },
): void {
  const model = made.draft.model(name)
  const around = new Set(layers.flatMap((layer) => layer.flatMap(({ leaf }) => [...leaf.around, leaf.item])))
  Object.assign(model.fields, limitsOf([...around]))
  for (const [order, layer] of layers.entries()) {
    const even = layer.every(({ share }) => share === layer[0]?.share)
    for (const { leaf, share } of layer) {
      const index = model.deployments.length
      const at: At = () => (model.deployments.length > 0 ? ['models', name, 'deployments', index] : ['models'])
      const deployment = deploymentOf(leaf, name, made, at)
      if (!deployment) {
        tellQuietly(leaf.item)
        continue
      }
      const place = { ...(!even && { weight: share }), ...(order > 0 && { order: order + 1 }) }
      model.deployments.push({ ...deployment, fields: { ...place, ...deployment.fields } })
    }
  }
  for (const item of around) tellAround(item)
}

/** What holds for several targets. */
function tellAround(item: Item): void {
  tellRest(item, () => ['models'])
}

/** A target that is left out was told as a whole. */
function tellQuietly(item: Item): void {
  for (const key of item.unread()) item.raw(key)
}

/** Times and retries: for the model as a whole, so the largest of its targets. */
function limitsOf(items: readonly Item[]): Limits {
  const limits: Limits = {}
  for (const item of items) {
    const time = item.take('request_timeout', milliseconds, {
      changed: 'in seconds; of a stream, until its first content; one value for all targets, the largest',
      at: () => ['models'],
    })
    if (time !== undefined) limits.timeout = Math.max(limits.timeout ?? 0, time)
    const retry = itemOf(item.raw('retry'), item.at('retry'), item.notes)
    const attempts = retry.take('attempts', count, {
      changed: 'one value for all targets, the largest',
      at: () => ['models'],
    })
    if (attempts !== undefined) limits.retries = Math.min(mostRetries, Math.max(limits.retries ?? 0, attempts))
    for (const key of ['use_retry_after_header', 'use_retry_after_headers']) {
      const obeyed = retry.raw(key)
      if (obeyed === true) item.notes.carried(retry.at(key))
      else if (obeyed !== undefined) item.notes.lost(retry.at(key), 'what a provider asks for is always obeyed')
    }
    retry.lose({ on_status_codes: 'which failures are retried is decided by their kind, not by codes' })
    retry.loseRest('no setting of retries that is known here')
  }
  return limits
}
