import { afterEach, beforeEach, expect, it } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import type { Database } from '../../src/state/database.ts'
import { createKeyStore } from '../../src/state/key-store.ts'
import { createObjects, type ObjectLimits } from '../../src/state/object-store.ts'
import type { Link, ObjectKey, Objects, StoredObject } from '../../src/state/objects.ts'
import { secure } from '../support/rows.ts'

const key = (id: string, owner = 'key_1'): ObjectKey => ({ owner, kind: 'response', id })
const object = (id: string, more: Partial<StoredObject> = {}): StoredObject => {
  return { ...key(id), created: 1_000, expires: 2_000, body: { text: "O'Hara \u{1F511} \0" }, ...more }
}
const of = { owner: 'key_1', parent: 'a' }
const item = (id: string) => ({ id, text: `item ${id}` })

/** What clients store, whatever engine the database has that `open` opens, with nothing in it. */
export function testObjects(open: () => Promise<Database>, limits?: ObjectLimits): void {
  let database: Database
  let objects: Objects
  beforeEach(async () => {
    database = await open()
    objects = createObjects(database, limits)
  })
  afterEach(() => database.close())

  it('an object is written, read, replaced, changed and deleted', async () => {
    await objects.put(object('a'), [item('x'), item('y')])
    expect(await objects.get(key('a'))).toEqual(object('a'))
    await objects.put(object('a', { body: { n: 1 }, created: 5, expires: 3_000 }))
    expect(await objects.get(key('a'))).toEqual(object('a', { body: { n: 1 }, expires: 3_000 }))
    expect(await objects.update(key('a'), ({ n }) => ({ n: Number(n) + 1 }))).toMatchObject({ body: { n: 2 } })
    expect(await objects.update(key('b'), (body) => body)).toBeUndefined()
    expect([await objects.remove(key('a')), await objects.remove(key('a'))]).toEqual([true, false])
    expect([await objects.get(key('a')), await objects.item(of, 'x')]).toEqual([undefined, undefined])
  })

  it('nobody finds, changes or deletes what another owns, though it has the same id', async () => {
    const theirs = key('a', 'key_2')
    await objects.put(object('a'), [item('x')])
    expect(await objects.get(theirs)).toBeUndefined()
    expect([await objects.remove(theirs), await objects.update(theirs, (body) => body)]).toEqual([false, undefined])
    expect(await objects.items({ ...of, owner: 'key_2' }, { limit: 9, order: 'asc' })).toEqual([])
    expect(await objects.found('key_2', ['x'])).toEqual(new Map())
    await objects.put(object('a', { owner: 'key_2', body: { own: true } }))
    await objects.remove(theirs)
    expect(await objects.get(key('a'))).toEqual(object('a'))
  })

  it('what others alone have is told apart from what nobody has', async () => {
    const many = Array.from({ length: 200 }, (_, at) => `none-${at}`)
    await objects.put(object('a'), [item('x'), item('y')])
    await objects.putAll([{ ...object('z'), kind: 'item' }, object('b')])
    expect(await objects.ofOthers('key_1', ['a', 'b', 'x', 'z'])).toEqual(new Map())
    expect(await objects.ofOthers('key_2', ['a', ...many, 'b', 'x', 'z'])).toEqual(
      new Map(Object.entries({ a: 'noted', b: 'noted', x: 'item', z: 'noted' })),
    )
    await objects.put(object('a', { owner: 'key_2' }), [item('x')])
    expect(await objects.ofOthers('key_2', ['a', 'x', 'y'])).toEqual(new Map([['y', 'item']]))
  })

  it('a list is in order, in pages, with those that are wanted only', async () => {
    for (let at = 0; at < 230; at++)
      await objects.put(object(`r${at % 3}-${at}`, { created: Math.floor(at / 2), body: { even: at % 2 === 0 } }))
    await objects.put(object('theirs', { owner: 'key_2' }))
    for (const order of ['asc', 'desc'] as const) {
      const all = (await objects.list(key(''), { limit: 1_000, order })) ?? []
      expect(all.map(({ created }) => created)).toEqual(
        all.map(({ created }) => created).toSorted((a, b) => (order === 'asc' ? a - b : b - a)),
      )
      const seen: string[] = []
      for (let after: string | undefined; seen.length < 230; after = seen.at(-1))
        seen.push(...((await objects.list(key(''), { limit: 70, order, after })) ?? []).map(({ id }) => id))
      expect(seen).toEqual(all.map(({ id }) => id))
    }
    const even = await objects.list(key(''), { limit: 110, order: 'asc' }, (body) => body.even === true)
    expect([even?.length, even?.every(({ body }) => body.even === true)]).toEqual([110, true])
    expect(await objects.list(key(''), { limit: 1, order: 'asc', after: 'none' })).toBeUndefined()
  })

  it('items stay in the order in which they came, whoever adds them', async () => {
    await objects.put(object('a'), [item('1'), item('2')])
    await Promise.all(
      Array.from({ length: 10 }, (_, at) => objects.append(of, [item(`n${at}`), item(`m${at}`)], 5_000)),
    )
    const all = (await objects.items(of, { limit: 100, order: 'asc' })) ?? []
    expect(all.map(({ place }) => place)).toEqual(Array.from({ length: 22 }, (_, at) => at))
    expect(all.slice(0, 2).map(({ body }) => body)).toEqual([item('1'), item('2')])
    for (const [at, { id }] of all.entries()) if (id.startsWith('n')) expect(all[at + 1]?.id).toBe(id.replace('n', 'm'))
    expect((await objects.get(key('a')))?.expires).toBe(5_000)
    const after = all[20]?.id
    expect(await objects.items(of, { limit: 9, order: 'asc', after })).toEqual(all.slice(21))
    expect(await objects.items(of, { limit: 2, order: 'desc', after })).toEqual([all[19], all[18]])
    expect(await objects.items(of, { limit: 2, order: 'desc', after: 'none' })).toBeUndefined()
    expect(await objects.itemsFrom(of, 19, 9)).toEqual(all.slice(20))
    expect(await objects.found('key_1', ['1', 'n3', 'none'])).toEqual(new Map(['1', 'n3'].map((id) => [id, item(id)])))
    expect([await objects.removeItem(of, '1'), await objects.removeItem(of, '1')]).toEqual([true, false])
    expect(await objects.append({ ...of, parent: 'none' }, [item('x')], 5_000)).toBe(false)
  })

  it('one that goes on from others is read with all of them, from the newest on', async () => {
    for (const [at, id] of ['a', 'b', 'c', 'd'].entries())
      await objects.put(object(id, { body: { at }, previous: at === 0 ? undefined : 'abc'[at - 1] }), [item(`${at}`)])
    const all = { links: 9, size: 1_000 }
    const ids = (links: readonly Link[]) => links.map(({ object: { id } }) => id)
    const chain = await objects.chain(key('d'), all)
    expect(chain.map(({ object: { id, body }, items }) => [id, body.at, items])).toEqual(
      ['d', 'c', 'b', 'a'].map((id, back) => [id, 3 - back, [item(`${3 - back}`)]]),
    )
    expect(ids(await objects.chain(key('d'), { ...all, links: 2 }))).toEqual(['d', 'c'])
    const size = JSON.stringify([{ at: 3 }, item('3')]).length - 3
    expect(ids(await objects.chain(key('d'), { ...all, size: size - 1 }))).toEqual(['d', 'c'])
    expect(ids(await objects.chain(key('d'), { ...all, size }))).toEqual(['d', 'c', 'b'])
    expect(await objects.chain(key('d', 'key_2'), all)).toEqual([])
  })

  it('one that is deleted is there for those that go on from it, and nobody else', async () => {
    await objects.put(object('a'), [item('x')])
    await objects.put(object('b', { previous: 'a' }))
    await objects.put(object('c', { previous: 'b' }))
    expect([await objects.remove(key('a')), await objects.remove(key('a'))]).toEqual([true, false])
    expect([await objects.get(key('a')), await objects.chain(key('a'), { links: 9, size: 99 })]).toEqual([
      undefined,
      [],
    ])
    expect((await objects.list(key(''), { limit: 9, order: 'asc' }))?.map(({ id }) => id)).toEqual(['b', 'c'])
    expect(await objects.append(of, [item('y')], 9_000)).toBe(false)
    expect(await objects.found('key_1', ['x'])).toEqual(new Map())
    expect((await objects.chain(key('c'), { links: 9, size: 999 })).at(-1)).toMatchObject({
      object: { id: 'a' },
      items: [item('x')],
    })
    await objects.remove(key('c'))
    await objects.forget(1_500)
    expect(await objects.item(of, 'x')).toBeDefined()
    await objects.remove(key('b'))
    await objects.forget(1_500)
    expect(await database.all('SELECT id FROM objects')).toEqual([])
    expect(await objects.item(of, 'x')).toBeUndefined()
  })

  it('one that is too old stays for as long as anything goes on from it, and none goes on from what is gone', async () => {
    await objects.put(object('a'))
    await objects.put(object('b', { previous: 'a', expires: 5_000 }))
    expect([await objects.forget(3_000), (await objects.get(key('a')))?.id]).toEqual([false, 'a'])
    while (await objects.forget(6_000));
    expect([await objects.get(key('a')), await objects.get(key('b'))]).toEqual([undefined, undefined])
    expect(await objects.put(object('c', { previous: 'b' }), [item('x')])).toBe(false)
    expect([await objects.get(key('c')), await objects.found('key_1', ['x'])]).toEqual([undefined, new Map()])
  })

  it('changes of an object by several at once are all made', async () => {
    await objects.put(object('a', { body: {} }))
    const names = Array.from({ length: 8 }, (_, at) => `n${at}`)
    await Promise.all(names.map((name) => objects.update(key('a'), (body) => ({ ...body, [name]: 1 }))))
    expect(Object.keys((await objects.get(key('a')))?.body ?? {}).sort()).toEqual(names)
  })

  it('no more is kept of an object than is said', async () => {
    const small = createObjects(database, { object: 200, row: 100, bite: 50 })
    const text = (length: number) => ({ text: 'x'.repeat(length) })
    await expect(small.put(object('a', { body: text(90) }))).rejects.toMatchObject({ name: 'TooLarge', size: 101 })
    await expect(small.put(object('a', { body: text(50) }), [text(80), text(80)])).rejects.toThrow('too much')
    expect(await objects.get(key('a'))).toBeUndefined()
    expect(await small.put(object('a', { body: text(50) }), [text(80)])).toBe(true)
    await expect(small.append(of, [text(99)], 5_000)).rejects.toMatchObject({ name: 'TooLarge' })
  })

  it('items with places of their own are written once', async () => {
    await objects.place(of, [{ place: 3, id: 'x', body: item('x') }])
    await objects.place(of, [
      { place: 3, id: 'y', body: item('y') },
      { place: 4, id: 'z', body: item('z') },
    ])
    expect((await objects.itemsFrom(of, -1, 9)).map(({ id }) => id)).toEqual(['x', 'z'])
  })

  it('work on an object ends once', async () => {
    await objects.put(object('a', { runningUntil: 1_500 }))
    expect([await objects.keepRunning(key('a'), 1_700), await objects.runningUntil(key('a'))]).toEqual([true, 1_700])
    expect(await objects.finish(key('a'), { done: 1 }, [item('x')])).toBe(true)
    expect([await objects.finish(key('a'), { done: 2 }), await objects.keepRunning(key('a'), 9)]).toEqual([
      false,
      false,
    ])
    expect(await objects.get(key('a'))).toEqual(object('a', { body: { done: 1 } }))
    expect([await objects.runningUntil(key('a')), (await objects.item(of, 'x'))?.body]).toEqual([undefined, item('x')])
  })

  it('what is too old goes with its items and events, a few at a time, and what a deleted key had', async () => {
    for (let at = 0; at < 60; at++) await objects.put(object(`old-${at}`), [item(`${at}`)])
    await objects.place({ owner: 'key_1', parent: 'old-1/events' }, [{ place: 0, id: 'e', body: {} }])
    await objects.put(object('new', { expires: 9_000 }))
    const keys = createKeyStore({ database, clock: systemClock, secure })
    const { key: gone } = await keys.create({ name: 'gone', disabled: false, limits: {}, metadata: {} })
    await objects.put(object('theirs', { owner: gone.id, expires: 9_000 }))
    let passes = 1
    while (await objects.forget(3_000)) passes++
    expect(passes).toBe(Math.floor(60 / (limits?.bite ?? 50)) + 1)
    const count = async (table: string) => (await database.all(`SELECT COUNT(*) AS n FROM ${table}`))[0]?.n
    expect([await count('objects'), await count('items')]).toEqual([2, 0])
    await keys.remove(gone.id)
    await objects.forget(3_000)
    expect([await count('objects'), (await objects.get(key('new')))?.id]).toEqual([1, 'new'])
  })

  it('whose it is that a provider keeps is known until it is too old, whether or not its key is deleted', async () => {
    const keys = createKeyStore({ database, clock: systemClock, secure })
    const { key: gone } = await keys.create({ name: 'gone', disabled: false, limits: {}, metadata: {} })
    const note = { ...object('a', { owner: gone.id }), body: { provider: 'up' } }
    await objects.putAll([note, { ...note, kind: 'item', id: 'x' }, { ...object('b', { owner: gone.id }) }])
    await keys.remove(gone.id)
    while (await objects.forget(1_999));
    expect(await objects.ofOthers('key_1', ['a', 'b', 'x'])).toEqual(
      new Map(Object.entries({ a: 'noted', x: 'noted' })),
    )
    while (await objects.forget(2_000));
    expect(await objects.ofOthers('key_1', ['a', 'b', 'x'])).toEqual(new Map())
  })
}
