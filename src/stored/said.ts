import { isToBeCompacted } from '../operations/responses/input.ts'
import { keptOf } from '../operations/responses/summary.ts'
import { tooLarge } from '../runtime/body-limit.ts'
import type { Link, ObjectKey, StoredItem, StoredObject } from '../state/objects.ts'
import { isObject, type JsonObject, objectAt } from '../wire/json.ts'
import { type Keeping, readable } from './keeping.ts'

/** Items of a conversation that are read at once. */
const page = 500
/** No request has room for more. */
export const mostItems = 50_000
/** Bytes of a request with what was said before. */
export const mostBytes = 32 * 1024 * 1024
const mostLinks = 10_000

/** A response that is kept, and all that it answers. */
export interface Told {
  readonly input: readonly JsonObject[]
  readonly response: JsonObject
}

/** What was said in a conversation, and the place of the last of it. */
export interface Heard {
  readonly items: readonly JsonObject[]
  readonly last: number
}

/** What of a response is in its row: its output is the items of it. */
export function rowOf({ output: _, ...response }: JsonObject, more: JsonObject): JsonObject {
  return { response, ...more }
}

/** A response as it was; undefined if a provider has it. */
export async function responseIn(found: StoredObject, { objects }: Keeping): Promise<JsonObject | undefined> {
  const { response } = found.body
  if (!isObject(response)) return undefined
  // So were all kept once.
  if (response.output !== undefined) return response
  const { owner, id: parent } = found
  const items = await readable(() => objects.itemsFrom({ owner, parent }, -1, mostItems))
  return { ...response, output: items.map(({ body }) => body) }
}

/** Reads a response and all that it goes on from. Undefined: there is none. Rejects with the 413 for too much. */
export async function toldOf(key: ObjectKey, keeping: Keeping): Promise<Told | undefined> {
  const most = { links: mostLinks, size: mostBytes }
  const chain = await readable(() => keeping.objects.chain(key, most))
  const [oldest] = chain.slice(-1)
  if (!oldest) return undefined
  // Only so long a chain ends before its beginning, but for one of which a part was lost.
  if (oldest.object.previous !== undefined && chain.length >= mostLinks) throw tooLarge(mostBytes)
  const { conversation, until } = oldest.object.body
  const isIn = typeof conversation === 'string' && typeof until === 'number'
  let said = isIn ? [...(await heardIn(key.owner, conversation, keeping, until)).items] : []
  for (const link of chain.toReversed()) {
    said.push(...objectsIn(link.object.body.input))
    if (link === chain[0]) return { input: said, response: whole(link) }
    if (isToBeCompacted(said)) said = [...keptOf(said)]
    said.push(...objectsIn(whole(link).output))
    if (said.length > mostItems) throw tooLarge(mostBytes)
  }
  return undefined
}

function whole({ object: { body }, items }: Link): JsonObject {
  const response = objectAt(body, 'response') ?? {}
  return { ...response, output: response.output ?? items }
}

/** All that was said up to the end of a response. */
export function saidUpTo({ input, response }: Told): readonly JsonObject[] {
  return [...(isToBeCompacted(input) ? keptOf(input) : input), ...objectsIn(response.output)]
}

/** What a conversation holds, up to a place. */
export async function heardIn(
  owner: string,
  parent: string,
  { objects }: Keeping,
  until = Number.MAX_SAFE_INTEGER,
): Promise<Heard> {
  const items: JsonObject[] = []
  for (let last = -1; ; ) {
    const some: readonly StoredItem[] = await readable(() => objects.itemsFrom({ owner, parent }, last, page))
    const heard = some.filter(({ place }) => place <= until)
    items.push(...heard.map(({ body }) => body))
    last = heard.at(-1)?.place ?? last
    if (items.length > mostItems) throw tooLarge(mostBytes)
    if (heard.length < page) return { items, last }
  }
}

export function objectsIn(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}
