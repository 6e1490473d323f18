import { type JsonObject, stringAt } from '../wire/json.ts'
import type { Row, Statement, Value } from './database.ts'
import {
  eventsOf,
  type ItemKey,
  type ObjectKey,
  type ObjectKind,
  type StoredItem,
  type StoredObject,
  TooLarge,
} from './objects.ts'

export const columns = 'owner, kind, id, created_at, expires_at, running_until, previous, body'

/** One that its client has deleted is there only for those that go on from it. */
export const byKey = 'owner = ?1 AND kind = ?2 AND id = ?3 AND hidden = 0'

/** Nothing goes on from a row. */
export const isLast = `NOT EXISTS (SELECT 1 FROM objects AS later
  WHERE later.owner = objects.owner AND later.kind = objects.kind AND later.previous = objects.id)`

/** In the order of the statements. */
export const keyOf = ({ owner, kind, id }: ObjectKey): Value[] => [owner, kind, id]

/** An object of a row with all columns. */
export function objectOf({ owner, kind, id, ...row }: Row): StoredObject {
  const { created_at, expires_at, running_until, previous, body } = row
  return {
    ...{ owner: String(owner), kind: String(kind) as ObjectKind, id: String(id) },
    ...{ created: Number(created_at), expires: Number(expires_at) },
    ...(typeof running_until === 'number' && { runningUntil: running_until }),
    ...(typeof previous === 'string' && { previous }),
    body: JSON.parse(String(body)) as JsonObject,
  }
}

/** An item of a row with its place, id and body. */
export function itemOf({ place, id, body }: Row): StoredItem {
  return { place: Number(place), id: String(id), body: JSON.parse(String(body)) as JsonObject }
}

/** An item in words. */
export interface Worded {
  readonly id: string
  readonly text: string
}

export const worded = (item: JsonObject): Worded => ({ id: stringAt(item, 'id') ?? '', text: JSON.stringify(item) })

export interface SizeLimits {
  /** Characters of JSON, of an object with its items. */
  readonly object: number
  /** Bytes of JSON in one row. */
  readonly row: number
}

/** Throws `TooLarge` for what is written at once. */
export function checkSizes(rows: readonly Worded[], { object, row }: SizeLimits): void {
  const size = rows.reduce((sum, { text }) => sum + text.length, 0)
  if (size > object) throw new TooLarge(size)
  for (const { text } of rows) if (text.length * 3 > row && bytesOf(text) > row) throw new TooLarge(text.length)
}

const bytesOf = (text: string) => new TextEncoder().encode(text).length

/** Statements that add items after those that are there, if their object is. */
export function appended({ owner, parent }: ItemKey, items: readonly Worded[], state = ''): readonly Statement[] {
  const sql = `INSERT INTO items (owner, parent, place, id, body) SELECT CAST(?1 AS TEXT), CAST(?2 AS TEXT),
    COALESCE(MAX(place), -1) + 1, CAST(?3 AS TEXT), CAST(?4 AS TEXT) FROM items WHERE owner = ?1 AND parent = ?2
    HAVING EXISTS (SELECT 1 FROM objects WHERE owner = ?1 AND id = ?2 ${state})`
  return items.map(({ id, text }) => ({ sql, values: [owner, parent, id, text] }))
}

/** Statements that delete all that belonged to an object, if it is gone. */
export function withoutItems({ owner, id }: ObjectKey): readonly Statement[] {
  const sql = `DELETE FROM items WHERE owner = ?1 AND parent = ?2
    AND NOT EXISTS (SELECT 1 FROM objects WHERE owner = ?1 AND id = ?3)`
  return [id, eventsOf(id)].map((parent) => ({ sql, values: [owner, parent, id] }))
}
