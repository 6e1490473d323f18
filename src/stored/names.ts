import { howWithoutStore, notStored } from '../operations/responses/input.ts'
import type { RequestBody } from '../wire/body.ts'
import { isObject, type JsonObject, stringAt } from '../wire/json.ts'
import { textLength } from '../wire/outline.ts'
import { referenceIn } from './items.ts'
import type { Keeping } from './keeping.ts'

/** An item of a request that has an id. */
export interface Named {
  readonly id: string
  readonly path: string
  /** Whether it has nothing else. */
  readonly isReference: boolean
}

/** The items with ids of a request. */
export function namesIn(body: RequestBody): readonly Named[] {
  const named = namesInAll(body.outline)
  // The outline has marks in place of long texts, such as an id that is written with escapes.
  return named.some(({ id }) => textLength(id) !== id.length) ? namesInAll(body.json) : named
}

function namesInAll({ input, instructions }: JsonObject): readonly Named[] {
  return [...namesOf(input, 'input'), ...namesOf(instructions, 'instructions')]
}

/** The items with ids of a list. */
export function namesOf(items: unknown, path: string): readonly Named[] {
  if (!Array.isArray(items)) return []
  return items.flatMap((item, at) => {
    const id = isObject(item) ? stringAt(item, 'id') : undefined
    return id === undefined ? [] : [{ id, path: `${path}[${at}]`, isReference: referenceIn(item) !== undefined }]
  })
}

/**
 * Rejects with the 400 for an item with the id of somebody else's. Whatever else it has, a provider that keeps one by that
 * id may take that for it; what is kept here goes nowhere, unless the id is all that there is.
 */
export async function refuseOthers(named: readonly Named[], owner: string, keeping: Keeping): Promise<void> {
  if (named.length === 0) return
  const others = await keeping.ofOthers(
    owner,
    named.map(({ id }) => id),
  )
  const refused = named.find(({ id, isReference }) => others.get(id) === 'noted' || (isReference && others.has(id)))
  if (refused) throw notStored(`Item with id '${refused.id}' not found. ${howWithoutStore}`, refused.path)
}
