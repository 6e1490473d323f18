import type { Clock } from '../core/clock.ts'
import type { Log } from '../core/log.ts'
import type { Database, Row } from './database.ts'
import type { Key, Keys } from './key.ts'
import { keyColumns, keyOf } from './key-rows.ts'
import { takingTurns } from './turns.ts'

/** All keys of a database, in memory. Changes by other processes are seen after a while. */
export interface KeyRing extends Keys {
  /** Of those that were read. */
  known(digest: string): Key | undefined
  /** All that were read and have a secret. */
  all(): Iterable<Key>
  /** Reads what has changed. Rejects with a `StoreError`. */
  refresh(): Promise<void>
  close(): void
}

export interface KeyRingOptions {
  readonly database: Database
  readonly clock: Clock
  readonly log: Log
  /** Milliseconds between two looks at the database. Default 250. */
  readonly every?: number
}

/** Keys that are read at once, so that nothing else waits for long. */
const page = 500

/** Reads all keys. Rejects with a `StoreError`; once it has resolved, a database that fails leaves what was read. */
export async function openKeyRing({ database, clock, log, every = 250 }: KeyRingOptions): Promise<KeyRing> {
  const found = new Map<string, Held>()
  const digests = new Map<string, readonly string[]>()
  let seen = 0
  let reading = Promise.resolve()
  let queued: Promise<void> | undefined
  let isFailing = false
  let cancel = () => {}

  function take(rows: readonly Row[]): void {
    const [first] = rows
    if (!first) return
    const id = String(first.id)
    for (const digest of digests.get(id) ?? []) found.delete(digest)
    digests.delete(id)
    if (first.deleted === 1) return
    const key = keyOf(first)
    const secrets = rows.filter(({ digest }) => typeof digest === 'string')
    for (const { digest, until } of secrets)
      found.set(String(digest), { key, until: typeof until === 'number' ? until : undefined })
    digests.set(
      id,
      secrets.map(({ digest }) => String(digest)),
    )
  }

  async function read(): Promise<void> {
    const [told] = await database.all("SELECT value FROM revisions WHERE name = 'keys'")
    const newest = Number(told?.value ?? 0)
    // Somebody has put an older database in its place.
    if (newest < seen) {
      seen = 0
      found.clear()
      digests.clear()
    }
    for (const turn = takingTurns(clock); seen < newest; await turn()) {
      const rows = await database.all(changedSince, [seen, page])
      if (rows.length === 0) return
      for (const ofOne of byKey(rows)) take(ofOne)
      seen = Number(rows.at(-1)?.revision)
    }
  }

  /** Reads after the read that has begun, which may be too early for what was written since. */
  function refresh(): Promise<void> {
    queued ??= reading
      .catch(() => {})
      .then(() => {
        queued = undefined
        reading = read()
        return reading
      })
    return queued
  }

  function known(digest: string): Key | undefined {
    const held = found.get(digest)
    if (!held) return undefined
    return held.until === undefined || held.until > clock.now() ? held.key : undefined
  }

  function look(): void {
    cancel = clock.after(every, async () => {
      try {
        await refresh()
        if (isFailing) log('The keys are read again.')
        isFailing = false
      } catch (error) {
        if (!isFailing) log(`The keys can't be read, so those known stay: ${messageOf(error)}`, 'warn')
        isFailing = true
      }
      if (!isClosed) look()
    })
  }

  let isClosed = false
  await refresh()
  look()
  return {
    known,
    // Another process may have made it a moment ago, and told its holder.
    find: (digest) => known(digest) ?? refresh().then(() => known(digest)),
    all: () => new Set([...found.values()].map(({ key }) => key)),
    any: () => found.size > 0,
    refresh,
    close() {
      isClosed = true
      cancel()
    },
  }
}

interface Held {
  readonly key: Key
  /** When this secret of the key's ends. */
  readonly until: number | undefined
}

const changedSince = `SELECT k.*, s.digest, s.until FROM (
    SELECT ${keyColumns} FROM keys WHERE revision > ?1 ORDER BY revision LIMIT ?2
  ) k LEFT JOIN secrets s ON s.key_id = k.id ORDER BY k.revision`

function byKey(rows: readonly Row[]): Iterable<readonly Row[]> {
  return Map.groupBy(rows, ({ id }) => id).values()
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))
