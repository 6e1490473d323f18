import type { JsonObject } from '../wire/json.ts'

/** OpenAI's values of `reasoning_effort`, from the least on. */
export const efforts = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const

/**
 * How an upstream is told how much to think, if not as OpenAI is. A client's own fields with the same names come before
 * these.
 */
export interface EffortWords {
  /** The models that these are for, by name; absent: all that no words before these are for. */
  readonly models?: RegExp
  /** The levels that there are: any other becomes the nearest. Absent: all. */
  readonly levels?: readonly string[]
  /** The field for the level, `reasoning_effort` if absent; with a dot, inside an object. Null: there is none. */
  readonly level?: string | null
  /** Sent instead for `none`. */
  readonly off?: JsonObject
  /** Sent beside any other level. */
  readonly on?: JsonObject
}

/** A level by the name that some upstreams have for it. */
const others: Readonly<Record<string, (typeof efforts)[number]>> = { default: 'medium' }

function rankOf(level: string): number {
  return efforts.indexOf(others[level] ?? (level as (typeof efforts)[number]))
}

/** Whether it is a level, by whatever name. */
export function isEffort(value: unknown): value is string {
  return typeof value === 'string' && rankOf(value) >= 0
}

/** The level nearest to one that may not be there; of two, the higher. To think is never made not to think. */
export function nearestEffort(asked: string, levels: readonly string[]): string {
  const known = levels.filter(isEffort).sort((one, other) => rankOf(one) - rankOf(other))
  if (levels.includes(asked) || !isEffort(asked) || known.length === 0) return asked
  const thinking = known.filter((level) => level !== 'none')
  const distance = (level: string) => Math.abs(rankOf(level) - rankOf(asked))
  const nearest = (list: readonly string[]) =>
    list.reduce((best, level) => (distance(level) <= distance(best) ? level : best), list[0] ?? asked)
  return nearest(thinking.length > 0 ? thinking : known)
}

/** The fields that say a level to a model; undefined if that is nothing but `reasoning_effort` as it is. */
export function effortFields(asked: unknown, model: string, all: readonly EffortWords[]): JsonObject | undefined {
  const words = all.find(({ models }) => models?.test(model) ?? true)
  if (!words || !isEffort(asked)) return undefined
  const { levels, level = 'reasoning_effort', off, on = {} } = words
  if (asked === 'none' && off) return off
  const said = levels ? nearestEffort(asked, levels) : asked
  if (level === null) return on
  if (said === asked && level === 'reasoning_effort' && Object.keys(on).length === 0) return undefined
  const [group = '', inner] = level.split('.')
  return { ...on, [group]: inner === undefined ? said : { [inner]: said } }
}
