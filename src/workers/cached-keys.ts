import type { Clock } from '../core/clock.ts'
import type { Log } from '../core/log.ts'
import type { Database, Row } from '../state/database.ts'
import type { Key, Keys, Project, Projects } from '../state/key.ts'
import { keyColumns, keyOf } from '../state/key-rows.ts'
import { projectColumns, projectOf } from '../state/project-rows.ts'

export interface CachedKeysOptions {
  readonly database: Database
  readonly clock: Pick<Clock, 'now'>
  readonly log: Log
}

export interface CachedKeys extends Keys {
  /** Those of the keys that were found, as they were then. */
  readonly projects: Projects
  /** Has all keys looked up again, after a change of them or of projects. */
  forget(): void
}

/** Milliseconds for which a key that was found is taken for what it was, and a secret for nobody's. */
const fresh = 30_000
const unknown = 5_000
/** Keys, and secrets of nobody's, that are remembered. */
const most = 5_000

/** What was found by one secret. */
interface Found {
  readonly key: Key | undefined
  /** When the secret ends. */
  readonly until: number | undefined
  /** When it was looked up. */
  readonly at: number
}

/** Keys of a database that can be asked only over a network: what was found is remembered for a while. */
export function createCachedKeys({ database, clock, log }: CachedKeysOptions): CachedKeys {
  const holders = new Map<string, Found>()
  // Apart, since anybody can make them up: they must not drive out the others.
  const nobodys = new Map<string, Found>()
  const projects = new WeakMap<object, Project>()
  let isFailing = false

  const use = ({ key, until }: Found) => (until === undefined || until > clock.now() ? key : undefined)

  function remember(digest: string, found: Found): Found {
    const [to, other] = found.key ? [holders, nobodys] : [nobodys, holders]
    other.delete(digest)
    // So that the first one is the one that was looked up first.
    to.delete(digest)
    to.set(digest, found)
    if (to.size > most) to.delete(to.keys().next().value as string)
    return found
  }

  async function lookUp(digest: string): Promise<Found> {
    const at = clock.now()
    const values = [digest]
    const [[row], [shared]] = (await database.batch([
      { sql: byDigest, values },
      { sql: projectByDigest, values },
    ])) as [readonly Row[], readonly Row[]]
    const key = row && keyOf(row)
    if (key && shared) projects.set(key, projectOf(shared))
    const until = row && typeof row.until === 'number' ? row.until : undefined
    return remember(digest, { key, until, at })
  }

  async function found(digest: string, before: Found | undefined): Promise<Key | undefined> {
    try {
      const now = await lookUp(digest)
      isFailing = false
      return use(now)
    } catch (error) {
      if (!before?.key) throw error
      if (!isFailing)
        log(`The keys can't be read, so those known stay: ${error instanceof Error ? error.message : error}`, 'warn')
      isFailing = true
      return use(before)
    }
  }

  return {
    find(digest) {
      const known = holders.get(digest) ?? nobodys.get(digest)
      const isFresh = known && clock.now() - known.at < (known.key ? fresh : unknown)
      return isFresh ? use(known) : found(digest, known)
    },
    projects: { of: (key) => projects.get(key) },
    forget() {
      holders.clear()
      nobodys.clear()
    },
  }
}

const byDigest = `SELECT ${keyColumns}, until FROM secrets JOIN keys ON id = key_id WHERE digest = ?1 AND deleted = 0`
const projectByDigest = `SELECT ${projectColumns} FROM projects
  WHERE id = (SELECT k.project_id FROM secrets s JOIN keys k ON k.id = s.key_id WHERE s.digest = ?1)`
