import { DatabaseSync } from 'node:sqlite'

/** Writes to a file without a pause, as no gateway does. Started by `state.ts`, which ends it. */
const [, , path = ''] = process.argv
const database = new DatabaseSync(path, { timeout: 10_000 })
database.exec('CREATE TABLE IF NOT EXISTS noise (a INTEGER PRIMARY KEY, b TEXT) STRICT')
const insert = database.prepare('INSERT OR REPLACE INTO noise VALUES (?1, ?2)')
const text = 'x'.repeat(500)
console.log('writing')
for (let n = 0; ; n++) {
  database.exec('BEGIN IMMEDIATE')
  for (let row = 0; row < 10; row++) insert.run((n * 10 + row) % 10_000, text)
  database.exec('COMMIT')
}
