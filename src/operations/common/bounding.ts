import type { Bounding, Pictures, Unbounded } from '../../core/bounding.ts'
import { atHand, type Late } from '../../core/late.ts'
import { isObject, type JsonObject, stringAt } from '../../wire/json.ts'
import { textLength } from '../../wire/outline.ts'

/** For what is read and answered without tokens: vectors, orders, counts. */
export const readingOnly: Late<Bounding> = atHand({ output: () => ({ tokens: 0, answers: 1 }) })

/** The first of these that is a number above 0. */
export function limitAmong(...given: readonly unknown[]): number | undefined {
  return given.find((one): one is number => typeof one === 'number' && one > 0)
}

/** A number of answers, 1 for anything that is none. */
export function countOf(given: unknown): number {
  return typeof given === 'number' && given > 1 ? Math.ceil(given) : 1
}

/** The first tool that the provider runs by itself: what it reads and writes is billed too, however much it is. */
export function toolOutside(tools: unknown, isOwn: (tool: JsonObject) => boolean): Unbounded | undefined {
  const found = (Array.isArray(tools) ? tools : []).find((tool) => isObject(tool) && !isOwn(tool))
  return (
    found && {
      what: `the tool ${stringAt(found, 'type') ?? Object.keys(found)[0] ?? 'without a name'}`,
      param: 'tools',
    }
  )
}

/** How many of the parts, at any depth of these values, pass the test. In loops, as all of each request is looked at. */
export function countParts(value: unknown, test: (part: JsonObject) => boolean, depth = 6): number {
  if (depth === 0 || typeof value !== 'object' || value === null) return 0
  let count = 0
  if (Array.isArray(value)) {
    for (const one of value) count += countParts(one, test, depth - 1)
    return count
  }
  const object = value as JsonObject
  if (test(object)) return 1
  for (const name in object) count += countParts(object[name], test, depth - 1)
  return count
}

/** The pictures at any depth of these values. `charactersOf`: how many of a part are data; undefined: it is no picture. */
export function picturesIn(
  value: unknown,
  charactersOf: (part: JsonObject) => number | undefined,
  depth = 6,
): Pictures {
  if (depth === 0 || typeof value !== 'object' || value === null) return none
  const characters = isObject(value) ? charactersOf(value) : undefined
  if (characters !== undefined) return { count: 1, characters }
  return Object.values(value).reduce((sum: Pictures, one) => {
    const found = picturesIn(one, charactersOf, depth - 1)
    return { count: sum.count + found.count, characters: sum.characters + found.characters }
  }, none)
}

const none: Pictures = { count: 0, characters: 0 }

/** How many characters of an address are data: in an outline, those of one that is too long for any other. */
export function dataIn(address: unknown): number {
  if (typeof address !== 'string') return 0
  const length = textLength(address)
  return length !== address.length || address.startsWith('data:') ? length : 0
}

/** The same of base64. */
export function charactersIn(data: unknown): number {
  return typeof data === 'string' ? textLength(data) : 0
}
