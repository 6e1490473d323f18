import { weight } from '../kinds.ts'
import type { Item } from '../notes.ts'
import { itemOf } from './names.ts'

/** A target without targets of its own: a model of a provider. */
export interface Leaf {
  readonly item: Item
  /** What the targets around it say, from the outermost in. */
  readonly around: readonly Item[]
}

/** Targets that are tried before those of the next layer, and their shares of the requests. */
export type Layer = readonly { readonly leaf: Leaf; readonly share: number }[]

/** Deeper than anyone nests targets. */
const mostLevels = 20

/** Makes of nested targets the layers that are tried one after the other. */
export function layersOf(item: Item, around: readonly Item[] = []): readonly Layer[] {
  const { notes } = item
  const targets = item.list('targets').map(({ value, path }) => itemOf(value, path, notes))
  const strategy = itemOf(item.raw('strategy'), item.at('strategy'), notes)
  if (targets.length === 0) {
    if (item.has('strategy')) notes.lost(item.at('strategy'), 'it has no targets')
    return [[{ leaf: { item, around }, share: 1 }]]
  }
  if (around.length > mostLevels) {
    notes.lost(item.path, `more than ${mostLevels} levels of targets`)
    return []
  }
  const mode = modeOf(strategy)
  strategy.lose({
    on_status_codes: 'which failures go on to the next target is decided by their kind, not by codes',
    cb_config: 'see cooldown',
    sticky: 'requests of one session go to one deployment anyway: see sticky',
  })
  strategy.loseRest('no setting of a strategy that is known here')
  const inner = (target: Item) => layersOf(target, [...around, item])
  if (mode === 'single') {
    const [first, ...others] = targets
    for (const { path } of others) notes.lost(path, 'of several targets, the mode "single" takes the first')
    return first ? inner(first) : []
  }
  if (mode === 'conditional') return byDefault(strategy, targets).flatMap(inner)
  if (mode === 'fallback') return targets.flatMap(inner)
  return balanced(item, targets, inner)
}

/** The mode, told as carried. `loadbalance` for what is written otherwise. */
function modeOf(strategy: Item): string {
  const given = strategy.text('mode')
  const mode = given?.toLowerCase().replaceAll(/[-_\s]/g, '') ?? 'single'
  if (given === undefined) {
    strategy.notes.changed(strategy.at('mode'), 'no mode is told; as "single", the first target counts')
    return 'single'
  }
  if (!/^(single|fallback|loadbalance|conditional)$/.test(mode)) {
    strategy.notes.lost(strategy.at('mode'), 'no mode that is known; as "fallback"')
    return 'fallback'
  }
  if (mode === 'loadbalance') {
    strategy.notes.changed(strategy.at('mode'), 'by weight, and if a target fails the others are tried', () => [
      'models',
    ])
  } else if (mode !== 'conditional') strategy.notes.carried(strategy.at('mode'))
  return mode
}

/** Of targets behind conditions that can't be carried, the default one. */
function byDefault(strategy: Item, targets: readonly Item[]): Item[] {
  const name = strategy.fields.default
  strategy.notes.lost(strategy.path, 'samewire does not route by conditions: the default target gets all requests')
  for (const key of strategy.unread()) strategy.raw(key)
  const found = targets.filter((target) => target.fields.name === name)
  for (const target of targets) {
    if (!found.includes(target)) target.notes.lost(target.path, 'behind a condition')
  }
  return found.slice(0, 1)
}

function balanced(item: Item, targets: readonly Item[], inner: (target: Item) => readonly Layer[]): Layer[] {
  const branches = targets.map((target) => ({ layers: inner(target), share: target.take('weight', weight) ?? 1 }))
  const depth = Math.max(...branches.map(({ layers }) => layers.length))
  if (depth > 1) {
    item.notes.changed(
      item.at('targets'),
      'fallbacks inside of a balanced target come after all balanced targets, not after their own alone',
    )
  }
  return Array.from({ length: depth }, (_, at) =>
    branches.flatMap(({ layers, share }) => scaled(layers[at] ?? [], share)),
  )
}

function scaled(layer: Layer, share: number): Layer {
  const sum = layer.reduce((total, part) => total + part.share, 0) || 1
  return layer.map(({ leaf, share: own }) => ({ leaf, share: Number(((own * share) / sum).toPrecision(6)) }))
}
