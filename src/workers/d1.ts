import { type Database, type Row, StoreError, type Value } from '../state/database.ts'
import { migrate } from '../state/migrate.ts'
import type { D1 } from './bindings.ts'

/** What D1 says where a later try may succeed. */
const passing = /overloaded|too many requests|locked|busy|timed? ?out|reset|network connection lost|retry/i

/**
 * A D1 database. Its tables are made, or brought up to date, before its first statement in an isolate. Each request may
 * use it: nothing is kept of one for another.
 */
export function openD1(binding: D1): Database {
  const bare: Database = {
    all: (sql, values = []) =>
      told(async () =>
        rowsOf(
          (
            await binding
              .prepare(sql)
              .bind(...values)
              .all()
          ).results,
        ),
      ),
    batch: (statements) =>
      told(async () => {
        if (statements.length === 0) return []
        const prepared = statements.map(({ sql, values = [] }) => binding.prepare(sql).bind(...values))
        return (await binding.batch(prepared)).map(({ results }) => rowsOf(results))
      }),
    close: async () => {},
  }
  let isMade = false
  async function made(): Promise<Database> {
    // Requests that come meanwhile look themselves: none can wait for what another one does.
    if (!isMade) await migrate(bare)
    isMade = true
    return bare
  }
  return {
    all: async (sql, values) => (await made()).all(sql, values),
    batch: async (statements) => (await made()).batch(statements),
    close: bare.close,
  }
}

async function told<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    throw new StoreError(message, { cause, busy: passing.test(message) })
  }
}

/** Bytes come as lists of numbers. */
function rowsOf(rows: readonly Row[]): readonly Row[] {
  const values = (row: Row) => Object.entries(row) as [string, Value | number[]][]
  if (!rows.some((row) => values(row).some(([, value]) => Array.isArray(value)))) return rows
  return rows.map((row) =>
    Object.fromEntries(
      values(row).map(([name, value]) => [name, Array.isArray(value) ? Uint8Array.from(value) : value]),
    ),
  )
}
