import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import { openSqlite } from '../../src/node/sqlite.ts'
import { type Database, StoreError } from '../../src/state/database.ts'
import { type KeyRing, openKeyRing } from '../../src/state/key-ring.ts'
import { createKeyStore, type KeyStore, type KeyTerms } from '../../src/state/key-store.ts'
import { migrate } from '../../src/state/migrate.ts'
import { digestOf } from '../../src/state/secret.ts'
import { ManualClock } from '../support/gateway.ts'
import { memoryDatabase, secure } from '../support/state.ts'

const terms: KeyTerms = { name: 'Ada', disabled: false, limits: { rpm: 3, models: ['gpt-*'] }, metadata: { team: 'a' } }
const hour = 60 * 60 * 1000

let database: Database
let clock: ManualClock
let ring: KeyRing
let store: KeyStore
let logged: string[]

beforeEach(async () => {
  logged = []
  clock = new ManualClock()
  database = await memoryDatabase()
  ring = await openKeyRing({ database, clock, log: (line) => logged.push(line) })
  store = createKeyStore({ database, clock, secure, changed: ring.refresh })
})

describe('A key', () => {
  it('is found by its secret as soon as it was made', async () => {
    const { key, secret } = await store.create(terms)
    expect(secret).toMatch(/^sk-sw-[\w-]{43}$/)
    expect(key).toMatchObject({ ...terms, hint: `sk-sw-…${secret.slice(-4)}`, createdAt: clock.now() })
    expect(ring.known(await digestOf(secret))).toEqual(key)
    expect(ring.known(await digestOf(`${secret}x`))).toBeUndefined()
  })

  it('has no secret anywhere in the database', async () => {
    const { secret } = await store.create(terms)
    const tables = await database.all("SELECT name FROM sqlite_master WHERE type = 'table'")
    const all = await Promise.all(tables.map(({ name }) => database.all(`SELECT * FROM ${name}`)))
    expect(JSON.stringify(all)).toContain(await digestOf(secret))
    expect(JSON.stringify(all)).not.toContain(secret.slice('sk-sw-'.length, 20))
  })

  it('changes as it is told to, and at once', async () => {
    const { key, secret } = await store.create({ ...terms, project: 'p', expiresAt: clock.now() + hour })
    await clock.advance(5)
    const changed = await store.update(key.id, ({ limits, metadata }) => ({
      name: 'Eve',
      disabled: true,
      limits: { ...limits, tpm: 9 },
      metadata,
    }))
    const expected = { id: key.id, name: 'Eve', disabled: true, limits: { ...terms.limits, tpm: 9 } }
    expect(changed).toMatchObject({ ...expected, updatedAt: clock.now() })
    expect(changed).not.toHaveProperty('expiresAt')
    expect(changed).not.toHaveProperty('project')
    expect(ring.known(await digestOf(secret))).toEqual(changed)
    expect(await store.get(key.id)).toEqual(changed)
  })

  it('keeps every one of changes that are made at once', async () => {
    const { key } = await store.create({ ...terms, metadata: {} })
    const names = Array.from({ length: 8 }, (_, at) => `n${at}`)
    await Promise.all(
      names.map((name) => store.update(key.id, (now) => ({ ...now, metadata: { ...now.metadata, [name]: true } }))),
    )
    expect(Object.keys((await store.get(key.id))?.metadata ?? {}).sort()).toEqual(names)
  })

  it('is gone once it was deleted, and nothing finds it any more', async () => {
    const { key, secret } = await store.create(terms)
    expect(await store.remove(key.id)).toBe(true)
    expect(ring.known(await digestOf(secret))).toBeUndefined()
    expect(await store.get(key.id)).toBeUndefined()
    expect(await store.list({ disabled: true, offset: 0, limit: 10 })).toEqual([])
    expect(await store.remove(key.id)).toBe(false)
    expect(await store.update(key.id, (now) => now)).toBeUndefined()
    expect(await store.rotate(key.id, 0)).toBeUndefined()
    expect(await database.all('SELECT * FROM secrets')).toEqual([])
  })

  it('takes any text, SQL too, as what it is', async () => {
    const text = `'); DROP TABLE keys; -- "\\ ?1 \u{1F511}`
    const made = await store.create({ ...terms, name: text, project: text, user: text, metadata: { [text]: text } })
    expect(await store.get(made.key.id)).toMatchObject({
      name: text,
      project: text,
      user: text,
      metadata: { [text]: text },
    })
    expect(await store.get(`${made.key.id}' OR '1' = '1`)).toBeUndefined()
    expect(await store.list({ disabled: true, project: text, user: text, offset: 0, limit: 9 })).toHaveLength(1)
    expect(await store.list({ disabled: true, project: "' OR 1 = 1 --", offset: 0, limit: 9 })).toEqual([])
  })
})

describe('A key that gets a new secret', () => {
  it('has both as long as the grace lasts', async () => {
    const { key, secret } = await store.create(terms)
    const rotated = await store.rotate(key.id, hour)
    const [before, after] = await Promise.all([secret, rotated?.secret ?? ''].map(digestOf))
    expect(rotated?.key).toMatchObject({ id: key.id, hint: `sk-sw-…${rotated?.secret.slice(-4)}` })
    expect([ring.known(before ?? '')?.id, ring.known(after ?? '')?.id]).toEqual([key.id, key.id])
    await clock.advance(hour)
    expect([ring.known(before ?? ''), ring.known(after ?? '')?.id]).toEqual([undefined, key.id])
  })

  it('loses the old one at once without a grace, and one that had a longer grace, too', async () => {
    const { key, secret } = await store.create(terms)
    const second = await store.rotate(key.id, hour)
    await store.rotate(key.id, 0)
    for (const old of [secret, second?.secret ?? '']) expect(ring.known(await digestOf(old))).toBeUndefined()
    expect(await database.all('SELECT * FROM secrets')).toHaveLength(1)
  })
})

describe('A list of keys', () => {
  it('has the newest first, in pages, and those of a project or a user', async () => {
    for (let at = 0; at < 5; at++) {
      await store.create({
        ...terms,
        name: `k${at}`,
        disabled: at === 0,
        ...(at > 2 && { project: 'p', user: `u${at}` }),
      })
      await clock.advance(1)
    }
    const names = async (query: Partial<Parameters<KeyStore['list']>[0]>) =>
      (await store.list({ disabled: true, offset: 0, limit: 100, ...query })).map(({ name }) => name)
    expect(await names({})).toEqual(['k4', 'k3', 'k2', 'k1', 'k0'])
    expect(await names({ offset: 1, limit: 2 })).toEqual(['k3', 'k2'])
    expect(await names({ disabled: false })).toEqual(['k4', 'k3', 'k2', 'k1'])
    expect(await names({ project: 'p' })).toEqual(['k4', 'k3'])
    expect(await names({ project: 'p', user: 'u3' })).toEqual(['k3'])
  })
})

describe('Another process', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'keys-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  it('sees what was made, changed, rotated and deleted within a quarter of a second', async () => {
    const [mine, theirs] = await Promise.all([open(), open()])
    const other = await openKeyRing({ database: theirs, clock, log: () => {} })
    const own = createKeyStore({ database: mine, clock, secure })
    const { key, secret } = await own.create(terms)
    const digest = await digestOf(secret)
    const seen = async () => {
      await settled(() => clock.advance(250))
      return other.known(digest)
    }
    expect(other.known(digest)).toBeUndefined()
    expect(await seen()).toMatchObject({ name: 'Ada' })
    await own.update(key.id, (now) => ({ ...now, disabled: true }))
    expect(await seen()).toMatchObject({ disabled: true })
    await own.rotate(key.id, 0)
    expect(await seen()).toBeUndefined()
    const next = await own.create(terms)
    await seen()
    await own.remove(next.key.id)
    await seen()
    expect(other.known(await digestOf(next.secret))).toBeUndefined()
    other.close()
    await Promise.all([mine.close(), theirs.close()])
  })

  it('finds a key at once that was made a moment ago, and asks no more than once at a time for those that nobody has', async () => {
    const [mine, theirs] = await Promise.all([open(), open()])
    let looks = 0
    const counted: Database = {
      ...wrapped(theirs),
      all: (sql, values) => {
        looks++
        return theirs.all(sql, values)
      },
    }
    const other = await openKeyRing({ database: counted, clock, log: () => {} })
    const { key, secret } = await createKeyStore({ database: mine, clock, secure }).create(terms)
    expect((await other.find(await digestOf(secret)))?.id).toBe(key.id)
    looks = 0
    const nobody = await Promise.all(Array.from({ length: 1_000 }, (_, at) => other.find(`wrong ${at}`)))
    expect([nobody.every((found) => found === undefined), looks]).toEqual([true, 1])
    other.close()
    await Promise.all([mine.close(), theirs.close()])
    // Nobody can tell: whoever has it must not take it for a wrong one.
    await expect(other.find('wrong')).rejects.toThrow('closed')
    expect((await other.find(await digestOf(secret)))?.id).toBe(key.id)
  })

  async function open() {
    const database = await openSqlite(join(folder, 'state.db'), { clock: systemClock })
    await migrate(database)
    return database
  }
})

describe('A ring of keys', () => {
  it('has all of many', async () => {
    const made = []
    for (let at = 0; at < 1201; at++) made.push(await createKeyStore({ database, clock, secure }).create(terms))
    await ring.refresh()
    for (const { key, secret } of made) expect(ring.known(await digestOf(secret))?.id).toBe(key.id)
  })

  it('keeps what it knows while the database fails, and says so once', async () => {
    const { key, secret } = await store.create(terms)
    let fails = true
    const failing: Database = {
      ...wrapped(database),
      all: (sql, values) => (fails ? Promise.reject(new StoreError('disk I/O error')) : database.all(sql, values)),
    }
    fails = false
    const other = await openKeyRing({ database: failing, clock, log: (line) => logged.push(line) })
    fails = true
    for (let at = 0; at < 4; at++) await settled(() => clock.advance(250))
    expect(other.known(await digestOf(secret))?.id).toBe(key.id)
    expect(logged).toEqual(["The keys can't be read, so those known stay: disk I/O error"])
    fails = false
    await store.remove(key.id)
    for (let at = 0; at < 2; at++) await settled(() => clock.advance(250))
    expect(other.known(await digestOf(secret))).toBeUndefined()
    expect(logged.at(-1)).toBe('The keys are read again.')
    other.close()
  })

  it('asks no more once it is closed', async () => {
    ring.close()
    expect(clock.waiting).toBe(0)
  })
})

function wrapped(database: Database): Database {
  return {
    all: (sql, values) => database.all(sql, values),
    batch: (statements) => database.batch(statements),
    close: () => database.close(),
  }
}

/** What a timer began is over, too. */
async function settled(act: () => Promise<void>): Promise<void> {
  await act()
  for (let turn = 0; turn < 5; turn++) await new Promise((next) => setImmediate(next))
}
