import { beforeEach, describe, expect, it } from 'vitest'
import { type Database, StoreError } from '../../src/state/database.ts'
import type { Key } from '../../src/state/key.ts'
import { createKeyStore } from '../../src/state/key-store.ts'
import { createProjectStore, type ProjectStore } from '../../src/state/project-store.ts'
import { digestOf } from '../../src/state/secret.ts'
import { type CachedKeys, createCachedKeys } from '../../src/workers/cached-keys.ts'
import { ManualClock } from '../support/gateway.ts'
import { memoryDatabase, secure } from '../support/state.ts'

const terms = { name: 'ada', disabled: false, limits: {}, metadata: {} }

describe('A Worker', () => {
  let clock: ManualClock
  let store: ReturnType<typeof createKeyStore>
  let projects: ProjectStore
  let keys: CachedKeys
  let asked: number
  let failing: boolean
  let logged: string[]

  beforeEach(async () => {
    clock = new ManualClock()
    asked = 0
    failing = false
    logged = []
    const database = await memoryDatabase()
    const counted: Database = {
      all: (sql, values) => database.all(sql, values),
      close: () => database.close(),
      async batch(statements) {
        asked++
        if (failing) throw new StoreError('D1 is overloaded', { busy: true })
        return await database.batch(statements)
      },
    }
    store = createKeyStore({ database, clock, secure })
    projects = createProjectStore({ database, clock, secure }, async () => {})
    keys = createCachedKeys({ database: counted, clock, log: (line) => void logged.push(line) })
  })

  it('asks for a key once in half a minute', async () => {
    const { key, secret } = await store.create(terms)
    const digest = await digestOf(secret)
    expect(await keys.find(digest)).toEqual(key)
    await store.update(key.id, (now) => ({ ...now, disabled: true }))
    await clock.advance(29_999)
    expect(keys.find(digest)).toEqual(key)
    expect(asked).toBe(1)
    await clock.advance(1)
    expect(await keys.find(digest)).toMatchObject({ disabled: true })
  })

  it('knows of a change at once that it has made itself', async () => {
    const { key, secret } = await store.create(terms)
    const digest = await digestOf(secret)
    await keys.find(digest)
    await store.remove(key.id)
    keys.forget()
    expect(await keys.find(digest)).toBeUndefined()
  })

  it('finds the project of a key with the key, and sees its change in half a minute', async () => {
    const project = await projects.create({ name: 'web', limits: { rpm: 5 }, metadata: {} }, 'p')
    const [inIt, inNone, inUnmade] = await Promise.all(
      ['p', undefined, 'unmade'].map(async (id) => {
        const { secret } = await store.create({ ...terms, ...(id !== undefined && { project: id }) })
        return await digestOf(secret)
      }),
    )
    const projectOf = async (digest = '') => keys.projects.of((await keys.find(digest)) as Key)
    expect(await projectOf(inIt)).toEqual(project)
    expect([await projectOf(inNone), await projectOf(inUnmade)]).toEqual([undefined, undefined])
    await projects.archive('p')
    await clock.advance(29_999)
    expect(await projectOf(inIt)).toEqual(project)
    await clock.advance(1)
    expect(await projectOf(inIt)).toMatchObject({ archivedAt: expect.any(Number) })
  })

  it('remembers for five seconds that nobody has a secret', async () => {
    const { secret } = await store.create(terms)
    const digest = await digestOf(`${secret}x`)
    expect(await keys.find(digest)).toBeUndefined()
    expect(keys.find(digest)).toBeUndefined()
    expect(asked).toBe(1)
    await clock.advance(5_000)
    expect(await keys.find(digest)).toBeUndefined()
    expect(asked).toBe(2)
  })

  it('refuses a secret that was replaced once its grace is over, although it remembers it', async () => {
    const { key, secret } = await store.create(terms)
    await store.rotate(key.id, 10_000)
    const digest = await digestOf(secret)
    expect(await keys.find(digest)).toMatchObject({ id: key.id })
    await clock.advance(10_000)
    expect(keys.find(digest)).toBeUndefined()
  })

  it('goes by what it knows while the database fails, says so once, and lets no stranger in', async () => {
    const { key, secret } = await store.create(terms)
    const digest = await digestOf(secret)
    await keys.find(digest)
    failing = true
    await clock.advance(60_000)
    for (let n = 0; n < 2; n++) expect(await keys.find(digest)).toEqual(key)
    expect(logged).toEqual(["The keys can't be read, so those known stay: D1 is overloaded"])
    await expect(keys.find(await digestOf('sk-sw-stranger'))).rejects.toThrow(StoreError)
  })

  it('forgets no holder of a key, however many secrets are made up', async () => {
    const { key, secret } = await store.create(terms)
    const digest = await digestOf(secret)
    await keys.find(digest)
    for (let n = 0; n < 6_000; n++) await keys.find(`made-up-${n}`)
    const before = asked
    expect(keys.find(digest)).toEqual(key)
    await keys.find('made-up-0')
    expect(asked).toBe(before + 1)
  })
})
