import { isObject } from '../../wire/json.ts'
import type { Item } from '../notes.ts'
import { itemOf } from './names.ts'

/** Targets by the models that requests name. */
export interface ModelConditions {
  readonly models: ReadonlyMap<string, Item>
  /** For all other requests. */
  readonly rest: Item | undefined
}

/** Conditions that ask for nothing but the model, so that each of its names becomes a model; undefined if there are none. */
export function modelConditions(root: Item): ModelConditions | undefined {
  const { strategy: told, targets: list } = root.fields
  if (!isObject(told) || told.mode !== 'conditional' || !Array.isArray(told.conditions) || !Array.isArray(list))
    return undefined
  const { notes } = root
  const strategy = itemOf(root.raw('strategy'), root.at('strategy'), notes)
  const targets = root.list('targets').map(({ value, path }) => itemOf(value, path, notes))
  const named = (name: unknown) => targets.find((target) => target.fields.name === name && typeof name === 'string')
  const models = new Map<string, Item>()
  for (const { value, path } of strategy.list('conditions')) {
    const condition = itemOf(value, path, notes)
    const target = named(condition.raw('then'))
    const names = namesIn(condition.raw('query'))
    if (!target) notes.lost(path, 'there is no target of the name in "then"')
    else if (!names) notes.lost(path, 'samewire routes by the model, and not by other conditions', () => ['models'])
    else {
      notes.carried(path)
      for (const name of names) if (!models.has(name)) models.set(name, target)
    }
  }
  const rest = named(strategy.raw('default'))
  if (strategy.has('default') && rest) notes.carried(strategy.at('default'))
  else if (strategy.has('default')) notes.lost(strategy.at('default'), 'there is no target of this name')
  if (models.size > 0 || rest) notes.carried(strategy.at('mode'))
  strategy.raw('mode')
  strategy.loseRest('no setting of a strategy that is known here')
  const used = new Set([...models.values(), rest])
  for (const target of targets)
    if (!used.has(target)) notes.lost(target.path, 'no condition that is carried leads to it')
  return { models, rest }
}

/** The models of `{ "params.model": { "$eq": "…" } }` or of `$in`; undefined for any other query. */
function namesIn(query: unknown): string[] | undefined {
  if (!isObject(query) || Object.keys(query).length !== 1) return undefined
  const asked = query['params.model']
  const operator = isObject(asked) && Object.keys(asked).length === 1 ? (asked.$eq ?? asked.$in) : asked
  const names = [operator].flat()
  const texts = names.filter((name): name is string => typeof name === 'string' && name !== '' && !name.includes('*'))
  return texts.length > 0 && texts.length === names.length ? texts : undefined
}
