import type { JsonObject } from '../wire/json.ts'
import type { Database, Row, Value } from './database.ts'
import { appended, checkSizes, itemOf, type SizeLimits, worded } from './object-rows.ts'
import type { ItemKey, Kept, Objects } from './objects.ts'

/** Ids of one statement: D1 takes 100 values. */
const page = 90

export type Items = Pick<
  Objects,
  'append' | 'place' | 'items' | 'itemsFrom' | 'item' | 'found' | 'ofOthers' | 'removeItem'
>

/** Keeps what belongs to objects. */
export function createItems(database: Database, limits: SizeLimits): Items {
  async function placeOf(of: ItemKey, id: string): Promise<Row | undefined> {
    const sql = 'SELECT place, id, body FROM items WHERE owner = ?1 AND parent = ?2 AND id = ?3 ORDER BY place LIMIT 1'
    const [row] = await database.all(sql, [of.owner, of.parent, id])
    return row
  }

  return {
    async append(of, items, expires) {
      // First, since that has others who append to the same one wait.
      const sql = 'UPDATE objects SET expires_at = ?3 WHERE owner = ?1 AND id = ?2 AND hidden = 0 RETURNING id'
      const renew = { sql, values: [of.owner, of.parent, expires] }
      const all = items.map(worded)
      checkSizes(all, limits)
      const [found] = await database.batch([renew, ...appended(of, all, 'AND hidden = 0')])
      return found?.[0] !== undefined
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
        const sql = `SELECT place, id, body FROM items WHERE owner = ?1 AND id IN (${marks(some)}) AND NOT EXISTS
          (SELECT 1 FROM objects WHERE objects.owner = ?1 AND objects.id = items.parent AND hidden = 1)`
        for (const row of await database.all(sql, [owner, ...some])) all.set(String(row.id), itemOf(row).body)
      }
      return all
    },

    async ofOthers(owner, ids) {
      const all = new Map<string, Kept>()
      for (let at = 0; at < ids.length; at += page) {
        const some = ids.slice(at, at + page)
        const sql = `SELECT id, MAX(noted) AS noted FROM (SELECT id, owner, 1 AS noted FROM objects WHERE id IN (${marks(some)})
            UNION ALL SELECT id, owner, 0 AS noted FROM items WHERE id IN (${marks(some)})) AS named
          GROUP BY id HAVING SUM(CASE WHEN owner = ?1 THEN 1 ELSE 0 END) = 0`
        for (const { id, noted } of await database.all(sql, [owner, ...some]))
          all.set(String(id), Number(noted) === 1 ? 'noted' : 'item')
      }
      return all
    },

    async removeItem(of, id) {
      const sql = 'DELETE FROM items WHERE owner = ?1 AND parent = ?2 AND id = ?3 RETURNING id'
      return (await database.all(sql, [of.owner, of.parent, id])).length > 0
    },
  }
}

/** The items of several parents of one owner, by their parents. */
export async function itemsOfAll(
  database: Database,
  owner: string,
  parents: readonly string[],
): Promise<ReadonlyMap<string, readonly JsonObject[]>> {
  const all = new Map<string, JsonObject[]>()
  for (let at = 0; at < parents.length; at += page) {
    const some = parents.slice(at, at + page)
    const sql = `SELECT parent, place, id, body FROM items WHERE owner = ?1 AND parent IN (${marks(some)})
      ORDER BY parent, place`
    for (const row of await database.all(sql, [owner, ...some])) {
      const parent = String(row.parent)
      const own = all.get(parent) ?? []
      own.push(itemOf(row).body)
      all.set(parent, own)
    }
  }
  return all
}

/** Marks for values behind the first. */
function marks(values: readonly string[]): string {
  return values.map((_, place) => `?${place + 2}`).join(', ')
}
