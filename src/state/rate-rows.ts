import type { Database, Statements } from './database.ts'

/** What is used up of a limit a minute. */
export interface RateRow {
  readonly name: string
  /** As of the time `at`, in milliseconds since 1970. */
  readonly used: number
  readonly at: number
  /** When none is used any more. */
  readonly fullAt: number
}

/** Undefined: none of it. */
export async function readRate(inside: Statements, name: string): Promise<Pick<RateRow, 'used' | 'at'> | undefined> {
  const [row] = await inside.all('SELECT used, at FROM rates WHERE name = ?1', [name])
  return row && { used: Number(row.used), at: Number(row.at) }
}

export async function writeRate(inside: Statements, { name, used, at, fullAt }: RateRow): Promise<void> {
  await inside.all(writeSql, [name, used, at, fullAt])
}

/** Rows of one statement. */
const bite = 500

/** Deletes a bite of those that say nothing any more. Resolves with whether there may be others. */
export async function forgetRates(database: Database, now: number): Promise<boolean> {
  return (await database.all(forgetSql, [now, bite])).length === bite
}

const writeSql = `INSERT INTO rates (name, used, at, full_at) VALUES (?1, ?2, ?3, ?4)
  ON CONFLICT (name) DO UPDATE SET used = excluded.used, at = excluded.at, full_at = excluded.full_at`

const forgetSql = `DELETE FROM rates WHERE name IN (SELECT name FROM rates WHERE full_at < ?1 LIMIT ?2) RETURNING name`
