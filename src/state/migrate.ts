import { type Database, StoreError } from './database.ts'
import { migrations } from './migrations/all.ts'

/** Makes the tables, or brings them up to date. Several processes may do so at once. Rejects with a `StoreError`. */
export async function migrate(database: Database, steps: readonly (readonly string[])[] = migrations): Promise<void> {
  let done = await doneIn(database)
  if (done > steps.length)
    throw new StoreError('the database is of a newer version of the gateway: run that one, or name another database')
  while (done < steps.length) {
    const statements = (steps[done] ?? []).map((sql) => ({ sql }))
    const note = { sql: 'INSERT INTO migrations (number) VALUES (?1)', values: [done + 1] }
    try {
      await database.batch([...statements, note])
      done++
    } catch (error) {
      // Another process may have been faster.
      const now = await doneIn(database)
      if (now === done) throw error
      done = now
    }
  }
}

/** How many have run. */
async function doneIn(database: Database): Promise<number> {
  const make = 'CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY) STRICT'
  // Where two engines' sessions make it at once, one of them fails although it is there then.
  await database.all(make).catch(() => database.all(make))
  const [row] = await database.all('SELECT COALESCE(MAX(number), 0) AS done FROM migrations')
  return Number(row?.done ?? 0)
}
