import { afterAll, describe, expect, it } from 'vitest'
import type { Stored } from '../../src/cache/answers.ts'
import { DatabaseAnswers } from '../../src/cache/database-answers.ts'
import { MemoryAnswers } from '../../src/cache/memory.ts'
import { systemClock } from '../../src/core/clock.ts'
import { openDatabase } from '../../src/node/database.ts'
import { type Database, StoreError } from '../../src/state/database.ts'
import { migrate } from '../../src/state/migrate.ts'
import { keepsAnswers } from '../support/answers-contract.ts'
import { ManualClock } from '../support/gateway.ts'
import { postgresForTests } from '../support/postgres-for-tests.ts'
import { memoryDatabase } from '../support/state.ts'

const ofClock = (clock: ManualClock) => ({ now: () => clock.now(), pass: (ms: number) => clock.advance(ms) })
const mega = 1024 * 1024

keepsAnswers('memory', async () => {
  const clock = new ManualClock()
  return { answers: new MemoryAnswers(clock, mega), ...ofClock(clock) }
})

keepsAnswers('a database', async () => {
  const clock = new ManualClock()
  const database = await memoryDatabase()
  return { answers: new DatabaseAnswers({ database, clock, log() {}, maxBytes: mega }), ...ofClock(clock) }
})

keepsAnswers('a database, by another process', async () => {
  const clock = new ManualClock()
  const database = await memoryDatabase()
  const options = { database, clock, log() {}, maxBytes: mega }
  const writer = new DatabaseAnswers(options)
  // One that keeps nothing in its own memory.
  const get = (id: string) => new DatabaseAnswers(options).get(id)
  return {
    ...ofClock(clock),
    answers: { get, put: writer.put.bind(writer), drop: writer.drop.bind(writer), flush: writer.flush.bind(writer) },
  }
})

const postgres = await postgresForTests()
if (postgres)
  keepsAnswers('PostgreSQL', async () => {
    const clock = new ManualClock()
    const database = await openDatabase(await postgres.database(), { clock: systemClock })
    await migrate(database)
    opened.push(database)
    return { answers: new DatabaseAnswers({ database, clock, log() {}, maxBytes: mega }), ...ofClock(clock) }
  })

const opened: Database[] = []
afterAll(() => Promise.all(opened.map((database) => database.close())))

const answer = (size: number, at = 0): Stored => ({
  ...{ streams: false, body: new Uint8Array(size), type: 'application/json', served: 'lab/m', at },
})
const keeping = { tenant: 't', until: Number.MAX_SAFE_INTEGER }

describe('Answers in memory', () => {
  it('are no more than their bound: those go first that were not asked for the longest', () => {
    const answers = new MemoryAnswers(new ManualClock(), 10_000)
    for (const id of ['a', 'b', 'c']) answers.put(id, answer(2_500), keeping)
    expect(answers.get('a')).toBeDefined()
    answers.put('d', answer(2_500), keeping)
    expect(['a', 'b', 'c', 'd'].filter((id) => answers.get(id))).toEqual(['a', 'c', 'd'])
    expect(answers.bytes).toBeLessThanOrEqual(10_000)
  })

  it('are not all dropped for one that is too large', () => {
    const answers = new MemoryAnswers(new ManualClock(), 10_000)
    answers.put('a', answer(100), keeping)
    answers.put('b', answer(20_000), keeping)
    expect([answers.get('a') !== undefined, answers.get('b')]).toEqual([true, undefined])
  })

  it('do not keep what they are a part of', () => {
    const answers = new MemoryAnswers(new ManualClock(), 10_000)
    answers.put('a', { ...answer(0), body: new Uint8Array(100_000).subarray(0, 10) }, keeping)
    expect(answers.get('a')?.body.buffer.byteLength).toBe(10)
  })
})

describe('Answers in a database', () => {
  it('are forgotten by the memory of other processes when one drops them', async () => {
    const clock = new ManualClock()
    const database = await memoryDatabase()
    const options = { database, clock, log() {}, maxBytes: mega }
    const [one, other] = [new DatabaseAnswers(options), new DatabaseAnswers(options)]
    one.put('a', answer(1), keeping)
    await one.flush()
    expect(await other.get('a')).toBeDefined()
    await one.drop('t')
    await clock.advance(1_000)
    // This look finds that there is something new.
    await other.get('a')
    await new Promise((turn) => setImmediate(turn))
    expect(await other.get('a')).toBeUndefined()
  })

  it('are no more than sixteen times what memory has', async () => {
    const clock = new ManualClock()
    const database = await memoryDatabase()
    const answers = new DatabaseAnswers({ database, clock, log() {}, maxBytes: 1_000 })
    for (let n = 0; n < 40; n++) answers.put(`${n}`, answer(1_000), { tenant: 't', until: clock.now() + 1_000_000 + n })
    await answers.flush()
    const [row] = await database.all('SELECT COALESCE(SUM(size), 0) AS size FROM cache')
    await clock.advance(60_000)
    answers.put('last', answer(1), { tenant: 't', until: clock.now() + 2_000_000 })
    await answers.flush()
    const [later] = await database.all('SELECT COALESCE(SUM(size), 0) AS size, COUNT(*) AS count FROM cache')
    expect([Number(row?.size) > 0, Number(later?.size) <= 16_000]).toEqual([true, true])
  })

  it('are deleted when their time is over', async () => {
    const clock = new ManualClock()
    const database = await memoryDatabase()
    const answers = new DatabaseAnswers({ database, clock, log() {}, maxBytes: mega })
    answers.put('a', answer(1), { tenant: 't', until: clock.now() + 1_000 })
    await answers.flush()
    await clock.advance(2_000)
    answers.put('b', answer(1), { tenant: 't', until: clock.now() + 1_000 })
    await answers.flush()
    expect(await database.all('SELECT id FROM cache')).toEqual([{ id: 'b' }])
  })

  it('stay in memory while the database can not be used, and nobody waits for it', async () => {
    const clock = new ManualClock()
    const logged: string[] = []
    const failing = new StoreError('it is locked', { busy: true })
    const database: Database = {
      all: () => Promise.reject(failing),
      batch: () => Promise.reject(failing),
      close: async () => {},
    }
    const answers = new DatabaseAnswers({ database, clock, log: (text) => logged.push(text), maxBytes: mega })
    answers.put('a', answer(1), keeping)
    await answers.flush()
    expect(await answers.get('a')).toBeDefined()
    expect(await answers.get('b')).toBeUndefined()
    expect(logged).toHaveLength(1)
    const stuck = new DatabaseAnswers({
      ...{ clock, log() {}, maxBytes: mega },
      database: { ...database, all: () => new Promise(() => {}) },
    })
    const looking = stuck.get('b')
    await clock.advance(100)
    expect(await looking).toBeUndefined()
  })
})
