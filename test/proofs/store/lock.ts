import { DatabaseSync } from 'node:sqlite'

/** A program that has a transaction open until its input ends, such as an editor of databases. */
const database = new DatabaseSync(process.argv[2] ?? '', { timeout: 5_000 })
database.exec('BEGIN IMMEDIATE')
console.log('locked')
process.stdin.resume().once('end', () => {
  database.exec('ROLLBACK')
  database.close()
})
