import type { Clock } from '../core/clock.ts'
import type { Database, Row, Statement, Value } from './database.ts'
import { StoreError } from './database.ts'
import type { Key } from './key.ts'
import { keyColumns, keyOf, limitsText } from './key-rows.ts'
import { digestOf, hexOf, hintOf, newSecret, type SecureBytes } from './secret.ts'

/** What an operator decides about a key. */
export type KeyTerms = Pick<Key, 'name' | 'project' | 'user' | 'disabled' | 'expiresAt' | 'limits' | 'metadata'>

/** A key and its secret, which is told once: nobody can find it out again. */
export interface MadeKey {
  readonly key: Key
  readonly secret: string
}

export interface KeyQuery {
  /** Those that are disabled too. */
  readonly disabled: boolean
  readonly project?: string | undefined
  readonly user?: string | undefined
  readonly offset: number
  readonly limit: number
}

/** Makes keys and changes them; whoever has a `Keys` finds them. Methods reject with a `StoreError`. */
export interface KeyStore {
  create(terms: KeyTerms): Promise<MadeKey>
  /** Newest first. */
  list(query: KeyQuery): Promise<readonly Key[]>
  get(id: string): Promise<Key | undefined>
  /** `change` may be asked again, if somebody else changed the key meanwhile. Undefined: there is none. */
  update(id: string, change: (key: Key) => KeyTerms): Promise<Key | undefined>
  /** Gives it a new secret. Those before are good for `grace` milliseconds more. */
  rotate(id: string, grace: number): Promise<MadeKey | undefined>
  /** False: there is none. */
  remove(id: string): Promise<boolean>
}

export interface KeyStoreOptions {
  readonly database: Database
  readonly clock: Clock
  readonly secure: SecureBytes
  /** Called after each change; it is told once this is over. */
  readonly changed?: () => Promise<void>
}

/** How often an update is tried anew that others have come before. */
const mostTries = 10

export function createKeyStore({ database, clock, secure, changed }: KeyStoreOptions): KeyStore {
  const now = () => Math.floor(clock.now())

  /** Runs what changes one key, and gives it a number of its own, by which readers see what is new to them. */
  async function write(statements: readonly Statement[]): Promise<readonly (readonly Row[])[]> {
    const [, ...results] = await database.batch([nextRevision, ...statements])
    // It is written, whatever comes of telling it.
    await changed?.().catch(() => {})
    return results
  }

  async function find(id: string): Promise<Row | undefined> {
    const [row] = await database.all(`SELECT ${keyColumns} FROM keys WHERE id = ?1 AND deleted = 0`, [id])
    return row
  }

  return {
    async create(terms) {
      const secret = newSecret(secure)
      const at = now()
      const id = `key_${at.toString(16).padStart(12, '0')}${hexOf(secure(6))}`
      const [rows] = await write([
        {
          sql: `INSERT INTO keys (id, name, hint, project_id, home, user_id, disabled, expires_at, limits, metadata, created_at,
            changed_at, revision) VALUES (?1, ?2, ?9, ?3, ?3, ?4, ?5, ?6, ?7, ?8, ?10, ?10, ${revision}) RETURNING ${keyColumns}`,
          values: [id, ...valuesOf(terms), hintOf(secret), at],
        },
        { sql: 'INSERT INTO secrets (digest, key_id) VALUES (?1, ?2)', values: [await digestOf(secret), id] },
      ])
      return { key: keyOf(one(rows)), secret }
    },

    async list({ disabled, project, user, offset, limit }) {
      const values: Value[] = [limit, offset]
      const only = ['deleted = 0', ...(disabled ? [] : ['disabled = 0'])]
      for (const [column, value] of Object.entries({ project_id: project, user_id: user }))
        if (value !== undefined) only.push(`${column} = ?${values.push(value)}`)
      const sql = `SELECT ${keyColumns} FROM keys WHERE ${only.join(' AND ')} ORDER BY id DESC LIMIT ?1 OFFSET ?2`
      return (await database.all(sql, values)).map(keyOf)
    },

    async get(id) {
      const row = await find(id)
      return row && keyOf(row)
    },

    async update(id, change) {
      for (let tries = 0; tries < mostTries; tries++) {
        const row = await find(id)
        if (!row) return undefined
        const sql = `UPDATE keys SET name = ?2, project_id = ?3, user_id = ?4, disabled = ?5, expires_at = ?6, limits = ?7,
          metadata = ?8, changed_at = ?9, revision = ${revision}
          WHERE id = ?1 AND deleted = 0 AND revision = ?10 RETURNING ${keyColumns}`
        const values = [id, ...valuesOf(change(keyOf(row))), now(), row.revision ?? null]
        const [rows] = await write([{ sql, values }])
        if (rows?.[0]) return keyOf(rows[0])
      }
      throw new StoreError('others are changing the key all the time', { busy: true })
    },

    async rotate(id, grace) {
      const secret = newSecret(secure)
      const until = now() + grace
      const [rows] = await write([
        {
          sql: `UPDATE keys SET hint = ?2, changed_at = ?3, revision = ${revision} WHERE id = ?1 AND deleted = 0
            RETURNING ${keyColumns}`,
          values: [id, hintOf(secret), now()],
        },
        {
          sql: 'UPDATE secrets SET until = ?2 WHERE key_id = ?1 AND (until IS NULL OR until > ?2)',
          values: [id, until],
        },
        { sql: 'DELETE FROM secrets WHERE key_id = ?1 AND until <= ?2', values: [id, now()] },
        {
          sql: 'INSERT INTO secrets (digest, key_id) SELECT ?1, id FROM keys WHERE id = ?2 AND deleted = 0',
          values: [await digestOf(secret), id],
        },
      ])
      return rows?.[0] && { key: keyOf(rows[0]), secret }
    },

    async remove(id) {
      const [rows] = await write([
        // Its name stays, for the books.
        {
          sql: `UPDATE keys SET deleted = 1, changed_at = ?2, revision = ${revision} WHERE id = ?1 AND deleted = 0
            RETURNING id`,
          values: [id, now()],
        },
        { sql: 'DELETE FROM secrets WHERE key_id = ?1', values: [id] },
      ])
      return rows?.[0] !== undefined
    },
  }
}

const nextRevision = { sql: "UPDATE revisions SET value = value + 1 WHERE name = 'keys'" }
const revision = "(SELECT value FROM revisions WHERE name = 'keys')"

/** In the order of the statements: name, project, user, disabled, expiry, limits, metadata. */
function valuesOf({ name, project, user, disabled, expiresAt, limits, metadata }: KeyTerms): Value[] {
  const texts = [limitsText(limits), JSON.stringify(metadata)]
  return [name, project ?? null, user ?? null, disabled ? 1 : 0, expiresAt ?? null, ...texts]
}

function one(rows: readonly Row[] | undefined): Row {
  if (!rows?.[0]) throw new StoreError('what was written is not there')
  return rows[0]
}
