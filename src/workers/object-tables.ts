import type { Row } from '../state/database.ts'
import type { Reading } from '../state/meters.ts'
import type { MeterName } from './asked.ts'
import type { ObjectStorage } from './bindings.ts'

const none: Reading = { spent: 0, held: 0, lost: 0 }

/** What one request holds of one meter. */
export interface LeaseRow extends MeterName {
  readonly id: string
  readonly place: number
  readonly held: number
  readonly returns: boolean
  /** It was taken for dead. */
  readonly isLost: boolean
}

/** The tables of one object. For use in a transaction of its storage. */
export class ObjectTables {
  readonly #sql: ObjectStorage['sql']

  constructor({ sql }: ObjectStorage) {
    this.#sql = sql
    sql.exec(`CREATE TABLE IF NOT EXISTS meters (subject TEXT NOT NULL, since INTEGER NOT NULL, spent INTEGER NOT NULL,
      held INTEGER NOT NULL, lost INTEGER NOT NULL, PRIMARY KEY (subject, since)) STRICT, WITHOUT ROWID`)
    // `ends`: when it is taken for dead, or forgotten if it was.
    sql.exec(`CREATE TABLE IF NOT EXISTS leases (id TEXT NOT NULL, place INTEGER NOT NULL, subject TEXT NOT NULL,
      since INTEGER NOT NULL, held INTEGER NOT NULL, returns INTEGER NOT NULL, ends INTEGER NOT NULL,
      lost INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (id, place)) STRICT, WITHOUT ROWID`)
  }

  read({ subject, window }: MeterName): Reading {
    const [row] = this.#all('SELECT spent, held, lost FROM meters WHERE subject = ?1 AND since = ?2', subject, window)
    return row ? { spent: Number(row.spent), held: Number(row.held), lost: Number(row.lost) } : none
  }

  /** Adds to what a meter says. */
  add({ subject, window }: MeterName, { spent = 0, held = 0, lost = 0 }: Partial<Reading>): void {
    this.#all(
      `INSERT INTO meters (subject, since, spent, held, lost) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (subject, since)
        DO UPDATE SET spent = spent + ?3, held = held + ?4, lost = lost + ?5`,
      ...[subject, window, spent, held, lost],
    )
  }

  /** In the order of the holds; empty: there is none. */
  leasesOf(id: string): readonly LeaseRow[] {
    return this.#all('SELECT * FROM leases WHERE id = ?1 ORDER BY place', id).map(leaseOf)
  }

  lease({ id, place, subject, window, held, returns }: Omit<LeaseRow, 'isLost'>, ends: number): void {
    this.#all(
      `INSERT INTO leases (id, place, subject, since, held, returns, ends) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
        ON CONFLICT (id, place) DO UPDATE SET held = ?5, ends = ?7`,
      ...[id, place, subject, window, held, returns ? 1 : 0, ends],
    )
  }

  release(id: string): void {
    this.#all('DELETE FROM leases WHERE id = ?1', id)
  }

  /** Those of requests that are taken for dead. */
  ended(now: number): readonly LeaseRow[] {
    return this.#all('SELECT * FROM leases WHERE lost = 0 AND ends <= ?1', now).map(leaseOf)
  }

  /** Remembers until `ends` that a lease was written off: its request may have been only slow. */
  lose({ id, place }: LeaseRow, ends: number): void {
    this.#all('UPDATE leases SET lost = 1, ends = ?3 WHERE id = ?1 AND place = ?2', id, place, ends)
  }

  /** Forgets those of which nobody asks any more. */
  forget(now: number): void {
    this.#all('DELETE FROM leases WHERE lost = 1 AND ends <= ?1', now)
  }

  /** When the next lease ends, or is forgotten; undefined: there is none. */
  get nextEnd(): number | undefined {
    const [row] = this.#all('SELECT min(ends) AS ends FROM leases')
    return typeof row?.ends === 'number' ? row.ends : undefined
  }

  #all(sql: string, ...values: readonly (string | number)[]): readonly Row[] {
    // Nothing here is of bytes.
    return this.#sql.exec(sql, ...values).toArray() as readonly Row[]
  }
}

function leaseOf(row: Row): LeaseRow {
  return {
    id: String(row.id),
    place: Number(row.place),
    subject: String(row.subject),
    window: Number(row.since),
    held: Number(row.held),
    returns: row.returns === 1,
    isLost: row.lost === 1,
  }
}
