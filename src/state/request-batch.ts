import type { Database } from './database.ts'
import type { RequestRow } from './ledger.ts'
import { insertions } from './request-rows.ts'
import { type EndUsers, Rollups } from './rollups.ts'

/** What is written in one transaction. */
export interface RequestBatch {
  readonly rows: readonly RequestRow[]
  /** Of rows that were given up before. */
  readonly sums?: Rollups
}

/** Writes rows and their sums, all or nothing. Rejects with a `StoreError`, also if one of them is there already. */
export async function writeBatch(database: Database, { rows, sums }: RequestBatch, endUsers: EndUsers): Promise<void> {
  const rollups = new Rollups(endUsers)
  for (const row of rows) rollups.add(row)
  await database.batch([...insertions(rows), ...rollups.statements(), ...(sums?.statements() ?? [])])
}

/** Those of rows that aren't there: a store may write a batch and then fail to say so. */
export async function unwritten(database: Database, rows: readonly RequestRow[]): Promise<readonly RequestRow[]> {
  if (rows.length === 0) return rows
  const places = rows.map((_, at) => `?${at + 1}`).join(', ')
  const sql = `SELECT id FROM requests WHERE id IN (${places})`
  const ids = rows.map(({ id }) => id)
  const there = new Set((await database.all(sql, ids)).map(({ id }) => id))
  return rows.filter(({ id }) => !there.has(id))
}
