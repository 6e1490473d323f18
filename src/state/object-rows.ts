import { type JsonObject, stringAt } from '../wire/json.ts'
import type { Row, Statement, Value } from './database.ts'
import {
  eventsOf,
  type ItemKey,
  type ObjectKey,
  type ObjectKind,
  type StoredItem,
  type StoredObject,
} from './objects.ts'

/** In the order of the statements. */
export const keyOf = ({ owner, kind, id }: ObjectKey): Value[] => [owner, kind, id]

/** An object of a row with all columns. */
export function objectOf({ owner, kind, id, created_at, expires_at, running_until, body }: Row): StoredObject {
  return {
    ...{ owner: String(owner), kind: String(kind) as ObjectKind, id: String(id) },
    ...{ created: Number(created_at), expires: Number(expires_at) },
    ...(typeof running_until === 'number' && { runningUntil: running_until }),
    body: JSON.parse(String(body)) as JsonObject,
  }
}

/** An item of a row with its place, id and body. */
export function itemOf({ place, id, body }: Row): StoredItem {
  return { place: Number(place), id: String(id), body: JSON.parse(String(body)) as JsonObject }
}

/** Statements that add items after those that are there. */
export function appended({ owner, parent }: ItemKey, items: readonly JsonObject[]): readonly Statement[] {
  const sql = `INSERT INTO items (owner, parent, place, id, body) SELECT CAST(?1 AS TEXT), CAST(?2 AS TEXT),
    COALESCE(MAX(place), -1) + 1, CAST(?3 AS TEXT), CAST(?4 AS TEXT) FROM items WHERE owner = ?1 AND parent = ?2`
  return items.map((item) => ({ sql, values: [owner, parent, stringAt(item, 'id') ?? '', JSON.stringify(item)] }))
}

/** Statements that delete all that belongs to an object. */
export function withoutItems({ owner, id }: ObjectKey): readonly Statement[] {
  const sql = 'DELETE FROM items WHERE owner = ?1 AND parent = ?2'
  return [id, eventsOf(id)].map((parent) => ({ sql, values: [owner, parent] }))
}
