import type { JsonObject } from '../wire/json.ts'
import type { Row, TransactionalDatabase, Value } from './database.ts'
import { appended, itemOf, keyOf, objectOf, withoutItems } from './object-rows.ts'
import type { ItemKey, ObjectKey, ObjectKind, Objects, StoredObject } from './objects.ts'

/** Objects that are read at once while those that fit are looked for. */
const page = 100
/** Objects of one statement that deletes, each with its items: nobody else can write meanwhile. */
const bite = 50

const columns = 'owner, kind, id, created_at, expires_at, running_until, body'
const byKey = 'owner = ?1 AND kind = ?2 AND id = ?3'

/** Keeps objects in a database whose tables are there. */
export function createObjects(database: TransactionalDatabase): Objects {
  async function get(key: ObjectKey): Promise<StoredObject | undefined> {
    const [row] = await database.all(`SELECT ${columns} FROM objects WHERE ${byKey}`, keyOf(key))
    return row && objectOf(row)
  }

  async function placeOf(of: ItemKey, id: string): Promise<Row | undefined> {
    const sql = 'SELECT place, id, body FROM items WHERE owner = ?1 AND parent = ?2 AND id = ?3 ORDER BY place LIMIT 1'
    const [row] = await database.all(sql, [of.owner, of.parent, id])
    return row
  }

  return {
    get,

    async put(object, items = []) {
      const { created, expires, runningUntil, body } = object
      const write = {
        sql: `INSERT INTO objects (${columns}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (owner, kind, id)
          DO UPDATE SET expires_at = excluded.expires_at, running_until = excluded.running_until, body = excluded.body`,
        values: [...keyOf(object), created, expires, runningUntil ?? null, JSON.stringify(body)],
      }
      await database.batch([write, ...appended({ owner: object.owner, parent: object.id }, items)])
    },

    async list(of, { after, limit, order }, fits = () => true) {
      const first = after === undefined ? undefined : await get({ ...of, id: after })
      if (after !== undefined && !first) return undefined
      const [sign, way] = order === 'asc' ? ['>', 'ASC'] : ['<', 'DESC']
      const found: StoredObject[] = []
      for (let from = first; found.length < limit; ) {
        const values: Value[] = [of.owner, of.kind, page, ...(from ? [from.created, from.id] : [])]
        const behind = from ? `AND (created_at ${sign} ?4 OR (created_at = ?4 AND id ${sign} ?5))` : ''
        const sql = `SELECT ${columns} FROM objects WHERE owner = ?1 AND kind = ?2 ${behind}
          ORDER BY created_at ${way}, id ${way} LIMIT ?3`
        const objects = (await database.all(sql, values)).map(objectOf)
        found.push(...objects.filter(({ body }) => fits(body)))
        from = objects.at(-1)
        if (objects.length < page) break
      }
      return found.slice(0, limit)
    },

    update: (key, change) =>
      database.transaction(async (inside) => {
        const [row] = await inside.all(`SELECT ${columns} FROM objects WHERE ${byKey}`, keyOf(key))
        if (!row) return undefined
        const object = objectOf(row)
        const body = change(object.body)
        await inside.all(`UPDATE objects SET body = ?4 WHERE ${byKey}`, [...keyOf(key), JSON.stringify(body)])
        return { ...object, body }
      }),

    async remove(key) {
      const [gone] = await database.batch([
        { sql: `DELETE FROM objects WHERE ${byKey} RETURNING id`, values: keyOf(key) },
        ...withoutItems(key),
      ])
      return gone?.[0] !== undefined
    },

    async append(of, items, expires) {
      // First, since that has others who append to the same one wait.
      const renew = 'UPDATE objects SET expires_at = ?3 WHERE owner = ?1 AND id = ?2 RETURNING id'
      const { owner, parent } = of
      return await database.transaction(async (inside) => {
        const [row] = await inside.all(renew, [owner, parent, expires])
        if (!row) return false
        for (const { sql, values } of appended(of, items)) await inside.all(sql, values)
        return true
      })
    },

    async place(of, items) {
      const sql = `INSERT INTO items (owner, parent, place, id, body) VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT (owner, parent, place) DO NOTHING`
      const statements = items.map(({ place, id, body }) => {
        return { sql, values: [of.owner, of.parent, place, id, JSON.stringify(body)] }
      })
      if (statements.length > 0) await database.batch(statements)
    },

    async items(of, { after, limit, order }) {
      const first = after === undefined ? undefined : await placeOf(of, after)
      if (after !== undefined && !first) return undefined
      const [sign, way] = order === 'asc' ? ['>', 'ASC'] : ['<', 'DESC']
      const values: Value[] = [of.owner, of.parent, limit, ...(first ? [first.place as number] : [])]
      const sql = `SELECT place, id, body FROM items WHERE owner = ?1 AND parent = ?2
        ${first ? `AND place ${sign} ?4` : ''} ORDER BY place ${way} LIMIT ?3`
      return (await database.all(sql, values)).map(itemOf)
    },

    async itemsFrom(of, place, limit) {
      const sql = `SELECT place, id, body FROM items WHERE owner = ?1 AND parent = ?2 AND place > ?3
        ORDER BY place LIMIT ?4`
      return (await database.all(sql, [of.owner, of.parent, place, limit])).map(itemOf)
    },

    async item(of, id) {
      const row = await placeOf(of, id)
      return row && itemOf(row)
    },

    async found(owner, ids) {
      const all = new Map<string, JsonObject>()
      for (let at = 0; at < ids.length; at += page) {
        const some = ids.slice(at, at + page)
        const marks = some.map((_, place) => `?${place + 2}`).join(', ')
        const sql = `SELECT place, id, body FROM items WHERE owner = ?1 AND id IN (${marks})`
        for (const row of await database.all(sql, [owner, ...some])) all.set(String(row.id), itemOf(row).body)
      }
      return all
    },

    async removeItem(of, id) {
      const sql = 'DELETE FROM items WHERE owner = ?1 AND parent = ?2 AND id = ?3 RETURNING id'
      return (await database.all(sql, [of.owner, of.parent, id])).length > 0
    },

    async runningUntil(key) {
      const [row] = await database.all(`SELECT running_until FROM objects WHERE ${byKey}`, keyOf(key))
      return typeof row?.running_until === 'number' ? row.running_until : undefined
    },

    async keepRunning(key, until) {
      const sql = `UPDATE objects SET running_until = ?4 WHERE ${byKey} AND running_until IS NOT NULL RETURNING id`
      return (await database.all(sql, [...keyOf(key), until])).length > 0
    },

    finish: (key, body, items = []) =>
      database.transaction(async (inside) => {
        const sql = `UPDATE objects SET body = ?4, running_until = NULL
          WHERE ${byKey} AND running_until IS NOT NULL RETURNING id`
        const [row] = await inside.all(sql, [...keyOf(key), JSON.stringify(body)])
        if (!row) return false
        for (const { sql, values } of appended({ owner: key.owner, parent: key.id }, items))
          await inside.all(sql, values)
        return true
      }),

    async forget(now) {
      const rows = await database.all(
        `SELECT owner, kind, id FROM objects WHERE expires_at <= ?1
          OR owner IN (SELECT id FROM keys WHERE deleted = 1) LIMIT ?2`,
        [now, bite],
      )
      const gone = rows.map(({ owner, kind, id }) => {
        return { owner: String(owner), kind: String(kind) as ObjectKind, id: String(id) }
      })
      const statements = gone.flatMap((key) => [
        { sql: `DELETE FROM objects WHERE ${byKey}`, values: keyOf(key) },
        ...withoutItems(key),
      ])
      if (statements.length > 0) await database.batch(statements)
      return rows.length === bite
    },
  }
}
