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

/** Whether an answer of these kinds may have pictures. One kind may stand for a list of one. */
export function isDrawing(modalities: unknown): boolean {
  const all = Array.isArray(modalities)
    ? modalities
    : modalities === undefined || modalities === null
      ? []
      : [modalities]
  return all.some((one) => !/^(?:text|audio|modality_unspecified|[013])$/i.test(String(one)))
}

/** The first tool that the provider runs by itself: what it reads and writes is billed too, however much it is. */
export function toolOutside(tools: unknown, isOwn: (tool: JsonObject) => boolean): Unbounded | undefined {
  if (tools === undefined || tools === null) return undefined
  const all: readonly unknown[] = Array.isArray(tools) ? tools : [tools]
  const place = all.findIndex((tool) => !isObject(tool) || !isOwn(tool))
  if (place < 0) return undefined
  const found = all[place]
  const name = isObject(found) ? (stringAt(found, 'type') ?? Object.keys(found)[0]) : JSON.stringify(found)
  return { what: `the tool ${name?.slice(0, 100) ?? 'without a name'}`, param: 'tools' }
}

/** Deeper than a picture in a document in the result of a tool. */
const depths = 14

/** How many of the parts, at any depth of these values, pass the test. In loops, as all of each request is looked at. */
export function countParts(value: unknown, test: (part: JsonObject) => boolean, depth = depths): number {
  if (depth === 0 || typeof value !== 'object' || value === null) return 0
  let count = 0
  if (Array.isArray(value)) {
    for (const one of value) count += countParts(one, test, depth - 1)
    return count
  }
  const object = value as JsonObject
  // A document may have pictures inside.
  if (test(object)) count++
  for (const name in object) count += countParts(object[name], test, depth - 1)
  return count
}

/** The pictures at any depth of these values. `charactersOf`: how many of a part are data; undefined: it is no picture. */
export function picturesIn(value: unknown, charactersOf: (part: JsonObject) => number | undefined): Pictures {
  const sum = { count: 0, characters: 0 }
  addPictures(sum, value, charactersOf, depths)
  return sum
}

/** What a tool is called with, and what it answers, is text, however much it looks like a picture. */
const texts: ReadonlySet<string> = new Set(['input', 'args', 'response'])

function addPictures(
  sum: { count: number; characters: number },
  value: unknown,
  charactersOf: (part: JsonObject) => number | undefined,
  depth: number,
): void {
  if (depth === 0 || typeof value !== 'object' || value === null) return
  if (Array.isArray(value)) {
    for (const one of value) addPictures(sum, one, charactersOf, depth - 1)
    return
  }
  const object = value as JsonObject
  const characters = charactersOf(object)
  if (characters === undefined) {
    for (const name in object) if (!texts.has(name)) addPictures(sum, object[name], charactersOf, depth - 1)
    return
  }
  sum.count++
  sum.characters += characters
}

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
