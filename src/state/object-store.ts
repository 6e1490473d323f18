import { type Database, type Row, type Statement, StoreError, type Value } from './database.ts'
import { createItems, itemsOfAll } from './object-items.ts'
import {
  appended,
  byKey,
  checkSizes,
  columns,
  isLast,
  keyOf,
  objectOf,
  type SizeLimits,
  withoutItems,
  worded,
} from './object-rows.ts'
import { mostCharacters, type ObjectKey, type ObjectKind, type Objects, type StoredObject } from './objects.ts'

/** Objects that are read at once while those that fit are looked for. */
const page = 100
/** How often a change is tried of what others change too. */
const tries = 20

/** What a database takes, and how much of it at once. */
export interface ObjectLimits extends SizeLimits {
  /** Objects of one transaction that deletes, each with its items: nobody else can write meanwhile. */
  readonly bite: number
}

const usual: ObjectLimits = { object: mostCharacters, row: Number.POSITIVE_INFINITY, bite: 50 }
/** A row of D1 has 2,000,000 bytes, and a request has so many statements. */
export const limitsOfD1: ObjectLimits = { object: mostCharacters, row: 1_999_000, bite: 5 }

/** Keeps objects in a database whose tables are there. */
export function createObjects(database: Database, limits: ObjectLimits = usual): Objects {
  async function get(key: ObjectKey): Promise<StoredObject | undefined> {
    const row = await rowOf(key)
    return row && objectOf(row)
  }

  async function rowOf(key: ObjectKey): Promise<Row | undefined> {
    const [row] = await database.all(`SELECT ${columns} FROM objects WHERE ${byKey}`, keyOf(key))
    return row
  }

  return {
    get,
    ...createItems(database, limits),

    async put(object, items = []) {
      const { owner, kind, id, previous } = object
      const body = JSON.stringify(object.body)
      const all = items.map(worded)
      checkSizes([{ id, text: body }, ...all], limits)
      const lock = previous === undefined ? [] : [locked({ owner, kind, id: previous })]
      const written = await database.batch([
        ...lock,
        inserted(object, body),
        { sql: 'DELETE FROM items WHERE owner = ?1 AND parent = ?2', values: [owner, id] },
        ...appended({ owner, parent: id }, all),
      ])
      return written[lock.length]?.[0] !== undefined
    },

    async putAll(objects) {
      await database.batch(objects.map((object) => inserted(object, JSON.stringify(object.body))))
    },

    async chain(key, { links, size }) {
      const { owner } = key
      const rows = await database.all(chained, [...keyOf(key), links, size])
      const ids = rows.map(({ id }) => String(id))
      const items = await itemsOfAll(database, owner, ids)
      return rows.map((row) => ({ object: objectOf(row), items: items.get(String(row.id)) ?? [] }))
    },

    async list(of, { after, limit, order }, fits = () => true) {
      const first = after === undefined ? undefined : await get({ ...of, id: after })
      if (after !== undefined && !first) return undefined
      const [sign, way] = order === 'asc' ? ['>', 'ASC'] : ['<', 'DESC']
      const found: StoredObject[] = []
      for (let from = first; found.length < limit; ) {
        const values: Value[] = [of.owner, of.kind, page, ...(from ? [from.created, from.id] : [])]
        const behind = from ? `AND (created_at ${sign} ?4 OR (created_at = ?4 AND id ${sign} ?5))` : ''
        const sql = `SELECT ${columns} FROM objects WHERE owner = ?1 AND kind = ?2 AND hidden = 0 ${behind}
          ORDER BY created_at ${way}, id ${way} LIMIT ?3`
        const objects = (await database.all(sql, values)).map(objectOf)
        found.push(...objects.filter(({ body }) => fits(body)))
        from = objects.at(-1)
        if (objects.length < page) break
      }
      return found.slice(0, limit)
    },

    async update(key, change) {
      const sql = `UPDATE objects SET body = ?4 WHERE ${byKey} AND body = ?5 RETURNING id`
      for (let left = tries; left > 0; left--) {
        const row = await rowOf(key)
        if (!row) return undefined
        const object = objectOf(row)
        const body = change(object.body)
        const text = JSON.stringify(body)
        checkSizes([{ id: key.id, text }], limits)
        // Unless somebody else has changed it.
        const changed = await database.all(sql, [...keyOf(key), text, String(row.body)])
        if (changed.length > 0) return { ...object, body }
      }
      throw new StoreError('it is changed by too many at once', { busy: true })
    },

    async remove(key) {
      const hide = `UPDATE objects SET hidden = 1, expires_at = 0, running_until = NULL WHERE ${byKey} RETURNING id`
      const drop = `DELETE FROM objects WHERE owner = ?1 AND kind = ?2 AND id = ?3 AND hidden = 1 AND ${isLast}`
      const [gone] = await database.batch([
        { sql: hide, values: keyOf(key) },
        { sql: drop, values: keyOf(key) },
        ...withoutItems(key),
      ])
      return gone?.[0] !== undefined
    },

    async runningUntil(key) {
      const [row] = await database.all(`SELECT running_until FROM objects WHERE ${byKey}`, keyOf(key))
      return typeof row?.running_until === 'number' ? row.running_until : undefined
    },

    async keepRunning(key, until) {
      const sql = `UPDATE objects SET running_until = ?4 WHERE ${byKey} AND running_until IS NOT NULL RETURNING id`
      return (await database.all(sql, [...keyOf(key), until])).length > 0
    },

    async finish(key, body, items = []) {
      const text = JSON.stringify(body)
      const all = items.map(worded)
      checkSizes([{ id: key.id, text }, ...all], limits)
      const sql = `UPDATE objects SET body = ?4, running_until = NULL
        WHERE ${byKey} AND running_until IS NOT NULL RETURNING id`
      const written = await database.batch([
        locked(key),
        // Only as long as nobody has ended it: so they come first.
        ...appended({ owner: key.owner, parent: key.id }, all, 'AND running_until IS NOT NULL'),
        { sql, values: [...keyOf(key), text] },
      ])
      return written.at(-1)?.[0] !== undefined
    },

    async forget(now) {
      const rows = await database.all(
        `SELECT owner, kind, id, previous FROM objects WHERE ${forgettable(1)} LIMIT ?2`,
        [now, limits.bite],
      )
      if (rows.length > 0) await database.batch(rows.flatMap((row) => forgotten(row, now)))
      // Those that they went on from may be next.
      return rows.length === limits.bite || rows.some(({ previous }) => previous !== null)
    },
  }
}

/** Has others who write the same object wait until the batch is over, so that what follows sees what they have written. */
function locked(key: ObjectKey): Statement {
  return { sql: 'UPDATE objects SET hidden = hidden WHERE owner = ?1 AND kind = ?2 AND id = ?3', values: keyOf(key) }
}

function inserted({ created, expires, runningUntil, previous, ...key }: StoredObject, body: string): Statement {
  const sql = `INSERT INTO objects (${columns}) SELECT CAST(?1 AS TEXT), CAST(?2 AS TEXT), CAST(?3 AS TEXT),
      CAST(?4 AS BIGINT), CAST(?5 AS BIGINT), CAST(?6 AS BIGINT), CAST(?7 AS TEXT), CAST(?8 AS TEXT)
    WHERE CAST(?7 AS TEXT) IS NULL OR EXISTS (SELECT 1 FROM objects WHERE owner = ?1 AND kind = ?2 AND id = ?7)
    ON CONFLICT (owner, kind, id) DO UPDATE SET expires_at = excluded.expires_at, hidden = 0,
      running_until = excluded.running_until, previous = excluded.previous, body = excluded.body
    RETURNING id`
  return { sql, values: [...keyOf(key), created, expires, runningUntil ?? null, previous ?? null, body] }
}

/** Each with the characters of all before it. A loop, which nobody can make but by hand, ends as whatever is too long. */
const chained = `WITH RECURSIVE chain AS (
    SELECT ${columns}, 1 AS link, CAST(0 AS BIGINT) AS size FROM objects WHERE ${byKey}
    UNION ALL
    SELECT one.owner, one.kind, one.id, one.created_at, one.expires_at, one.running_until, one.previous, one.body,
      chain.link + 1, chain.size + LENGTH(chain.body) + (SELECT COALESCE(SUM(LENGTH(items.body)), 0) FROM items
        WHERE items.owner = chain.owner AND items.parent = chain.id)
    FROM objects AS one JOIN chain ON one.owner = chain.owner AND one.kind = chain.kind AND one.id = chain.previous
    WHERE chain.link < ?4 AND chain.size <= ?5
  ) SELECT ${columns} FROM chain ORDER BY link`

/**
 * What of a row is deleted: too old as of `?now`, or of a key that is deleted. Whose it was that a provider keeps is still
 * known then: else it would be anybody's. The kinds are named, so that an index finds them.
 */
function forgettable(now: number): string {
  return `((owner IN (SELECT id FROM keys WHERE deleted = 1) AND kind IN ('response', 'chat', 'conversation')
    AND body NOT LIKE '{"provider":%') OR (expires_at <= ?${now} AND ${isLast}))`
}

/** Statements that delete one, if it still may be. */
function forgotten({ owner, kind, id }: Row, now: number): readonly Statement[] {
  const key = { owner: String(owner), kind: String(kind) as ObjectKind, id: String(id) }
  const sql = `DELETE FROM objects WHERE owner = ?1 AND kind = ?2 AND id = ?3 AND ${forgettable(4)}`
  return [locked(key), { sql, values: [...keyOf(key), now] }, ...withoutItems(key)]
}
