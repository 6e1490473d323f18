import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { limiterOf } from '../../src/accounts/limiter.ts'
import { isTooFast, type Take, type Taken } from '../../src/accounts/rates.ts'
import { SharedRates } from '../../src/accounts/shared-rates.ts'
import type { Tranche } from '../../src/accounts/tranche.ts'
import { type Statements, StoreError, type TransactionalDatabase } from '../../src/state/database.ts'
import { MemoryMeters } from '../../src/state/memory-meters.ts'
import { keepFor } from '../../src/state/retention.ts'
import { ManualClock } from '../support/gateway.ts'
import { inTime } from '../support/paying.ts'
import { refused, requests, taken, tokens } from '../support/rates.ts'
import { memoryDatabase } from '../support/state.ts'

const minute = 60_000
/** Milliseconds until what is free has gone back, at the second flush. */
const flushed = 150
/** Milliseconds between two flushes. */
const flushMs = 50

/** A database that counts transactions, and fails where a test says: before one is written, or after. */
function watched(database: TransactionalDatabase) {
  const going = new Set<Promise<unknown>>()
  function seen<T>(one: Promise<T>): Promise<T> {
    going.add(one)
    const over = () => going.delete(one)
    one.then(over, over)
    return one
  }
  const made = {
    all: (...asked: Parameters<TransactionalDatabase['all']>) => seen(database.all(...asked)),
    batch: (...asked: Parameters<TransactionalDatabase['batch']>) => seen(database.batch(...asked)),
    close: () => database.close(),
    transactions: 0,
    fails: undefined as 'before' | 'after' | undefined,
    transaction<T>(work: (inside: Statements) => Promise<T>): Promise<T> {
      made.transactions++
      return seen(write(work, made.fails))
    },
    /** Once whoever asked something of it has heard how that ended. */
    async quiet(): Promise<void> {
      do {
        await Promise.allSettled(going)
        await new Promise((turn) => setImmediate(turn))
      } while (going.size > 0)
    },
  }
  async function write<T>(work: (inside: Statements) => Promise<T>, fails: typeof made.fails): Promise<T> {
    const result = await database.transaction(async (inside) => {
      const done = await work(inside)
      if (fails === 'before') throw new StoreError('the disk is full')
      return done
    })
    if (fails === 'after') throw new StoreError('the connection was lost')
    return result
  }
  return made
}

let clock: ManualClock
let database: ReturnType<typeof watched>

beforeEach(async () => {
  clock = new ManualClock()
  database = watched(await memoryDatabase())
})
afterEach(async () => {
  await database.quiet()
  await database.close()
})

/** One more process. `company.alone` can change. */
function join(company: { alone: boolean } = { alone: false }, its = clock): SharedRates {
  return new SharedRates({ database, clock: its, company: Object.assign(company, { join: () => {} }) })
}

/** Lets time pass no faster than the database works, which takes as long as it takes. */
async function pass(ms: number, ...clocks: readonly ManualClock[]): Promise<void> {
  for (let left = ms; left > 0; left -= flushMs) {
    for (const one of [clock, ...clocks]) await one.advance(Math.min(left, flushMs))
    await database.quiet()
  }
}

const nothing = { requests: 0, tokens: 0 }

describe('A process that is alone', () => {
  it('seldom asks the store, and lets through as many as if it had none', async () => {
    const rates = join({ alone: true })
    for (let n = 0; n < 60; n++) await taken(rates, requests(60))
    const { wait } = await refused(rates, requests(60))
    expect(wait).toBe(1_000)
    expect(database.transactions).toBeLessThan(20)
    await clock.advance(minute)
    for (let n = 0; n < 60; n++) await taken(rates, requests(60))
    await refused(rates, requests(60))
  })

  it('refuses a flood without a word to the store', async () => {
    const rates = join({ alone: true })
    await taken(rates, requests(60, 'key:a', 60))
    const { transactions } = database
    for (let n = 0; n < 1_000; n++) await refused(rates, requests(60))
    expect(database.transactions).toBe(transactions)
  })

  it('has others have what it took ahead as soon as it knows of them', async () => {
    const company = { alone: true }
    const [first, second] = [join(company), join()]
    await taken(first, requests(600))
    await refused(second, requests(600, 'key:a', 599))
    company.alone = false
    await pass(1_000)
    await taken(second, requests(600, 'key:a', 599))
  })
})

it.each([true, false])('A process has nothing left to do once all is quiet, alone: %s', async (alone) => {
  const rates = join({ alone })
  for (let n = 0; n < 3; n++) {
    const all = (await taken(rates, requests(6_000), tokens(6_000, 300))) as readonly Taken<Tranche>[]
    await clock.advance(20)
    rates.settle(all, { requests: 1, tokens: 100 })
  }
  expect(clock.waiting).toBe(1)
  await pass(2 * minute)
  expect(clock.waiting).toBe(0)
})

describe('Processes that share a limit', () => {
  it('let a request through without a wait where they have taken enough ahead', async () => {
    const rates = join()
    for (let n = 0; n < 2; n++) await taken(rates, requests(6_000))
    expect(rates.take([requests(6_000)])).not.toBeInstanceOf(Promise)
    // One limit too many that they have nothing of.
    expect(rates.take([requests(6_000), requests(60, 'model:m')])).toBeInstanceOf(Promise)
  })

  it('have nothing free that they do not use, a moment later', async () => {
    const [first, second] = [join(), join()]
    for (let n = 0; n < 2; n++) await taken(first, requests(6_000))
    await refused(second, requests(6_000, 'key:a', 5_998))
    await pass(flushed)
    await taken(second, requests(6_000, 'key:a', 6_000))
  })

  it('ask the store once for all requests that come at once', async () => {
    const rates = join()
    await Promise.all(Array.from({ length: 50 }, (_, n) => taken(rates, requests(60), requests(60, `key:${n}`))))
    expect(database.transactions).toBe(1)
  })

  it('ask the store about a limit that is used up every tenth of a second at most', async () => {
    const [first, second] = [join(), join()]
    const all = await taken(first, tokens(600, 600))
    for (let n = 0; n < 100; n++) await refused(second, tokens(600, 60))
    expect(database.transactions).toBe(2)
    first.settle(all as readonly Taken<Tranche>[], nothing)
    await pass(flushed)
    await taken(second, tokens(600, 600))
  })

  it('lose what one had taken that dies, until it has come again within a minute', async () => {
    const dead = new ManualClock()
    const [first, second] = [join({ alone: true }, dead), join()]
    await taken(first, requests(60))
    expect((await refused(second, requests(60, 'key:a', 60))).left).toBe(45)
    await taken(second, requests(60, 'key:a', 45))
    await clock.advance(minute)
    await taken(second, requests(60, 'key:a', 60))
  })

  it('give all back that is not used when they end', async () => {
    const [first, second] = [join({ alone: true }), join()]
    await taken(first, requests(60))
    await first.close()
    await taken(second, requests(60, 'key:a', 59))
    await expect(first.take([requests(60, 'key:b')])).rejects.toThrow(StoreError)
  })

  it('have nothing come twice where their clocks differ', async () => {
    const ahead = new ManualClock()
    await ahead.advance(500)
    const members = [join(), join({ alone: false }, ahead)]
    await taken(members[0] as SharedRates, requests(60, 'key:a', 60))
    let count = 0
    for (let n = 0; n < 20; n++) {
      await pass(150, ahead)
      for (const rates of members) if (!isTooFast(await rates.take([requests(60)]))) count++
    }
    expect(count).toBe(3)
  })

  it('do not wait for a time that was far ahead when it was written', async () => {
    const ahead = new ManualClock()
    await ahead.advance(24 * 60 * minute)
    await taken(join({ alone: false }, ahead), requests(60, 'key:a', 60))
    const rates = join()
    await refused(rates, requests(60))
    await clock.advance(1_000)
    await taken(rates, requests(60))
  })

  it('tell apart what clients call their users, whatever that is, up to some length', async () => {
    const rates = join()
    const user = (name: string) => requests(1, `key:a user:${name}`)
    for (const name of ["'; DROP TABLE rates; --", 'ü'.repeat(100_000), '\0', '']) {
      await taken(rates, user(name))
      await refused(rates, user(name))
    }
  })

  it('forget what says nothing any more', async () => {
    await taken(join(), requests(60), tokens(60, 60))
    await clock.advance(2_000)
    const end = keepFor({ database, clock, log: () => {}, days: 30 })
    await pass(1_000)
    expect(await database.all('SELECT name FROM rates')).toEqual([{ name: 'tokens key:a' }])
    await pass(10 * minute)
    expect(await database.all('SELECT name FROM rates')).toEqual([])
    end()
  })
})

describe('A request that also has a budget', () => {
  const meter = { subject: 'key:a', window: 0, limit: 10 }

  it('takes of no limit a minute where its budget is used up', async () => {
    const [first, second] = [join(), join()]
    const limiter = limiterOf(first, new MemoryMeters())
    const needs = { key: { id: 'a' }, takes: [requests(60), tokens(100, 100)], holds: [{ meter, amount: 11 }] }
    expect(await limiter.take(needs)).toEqual({ granted: false, meter, left: 10 })
    await pass(flushed)
    await taken(second, requests(60, 'key:a', 60), tokens(100, 100))
  })

  it('takes nothing of it where a limit a minute is used up', async () => {
    const meters = new MemoryMeters()
    await taken(join(), requests(1))
    const needs = { key: { id: 'a' }, takes: [requests(1)], holds: [{ meter, amount: 10 }] }
    expect(await limiterOf(join(), meters).take(needs)).toMatchObject({ wait: minute, left: 0 })
    expect(await meters.read(meter)).toEqual({ spent: 0, held: 0, lost: 0 })
  })
})

describe('Where the store fails', () => {
  it('a request is told so unless enough was taken ahead', async () => {
    const rates = join({ alone: true })
    await taken(rates, requests(600))
    database.fails = 'before'
    await taken(rates, requests(600))
    await expect(rates.take([requests(600, 'key:b')])).rejects.toThrow(StoreError)
    database.fails = undefined
    await taken(rates, requests(600, 'key:b'))
  })

  it.each(['before', 'after'] as const)('%s it has written, nothing is let through twice', async (fails) => {
    const [first, second] = [join({ alone: true }), join()]
    const early = await taken(first, requests(60, 'key:a', 20))
    database.fails = fails
    // More than it has ahead: it gives that back to take all that it needs.
    await expect(first.take([requests(60, 'key:a', 30)])).rejects.toThrow(StoreError)
    database.fails = undefined
    first.settle(early as readonly Taken<Tranche>[], { requests: 1, tokens: 0 })
    await first.close()
    // 19 of the first twenty are free again.
    await refused(second, requests(60, 'key:a', 60))
    let count = 0
    while (!isTooFast(await second.take([requests(60)]))) count++
    expect(count).toBeLessThanOrEqual(59)
  })

  it.each(['before', 'after'] as const)('%s it has written, what is owed is not forgotten', async (fails) => {
    const [first, second] = [join(), join()]
    const one = await taken(first, tokens(100, 50))
    database.fails = fails
    first.settle(one as readonly Taken<Tranche>[], { requests: 1, tokens: 250 })
    await pass(flushed)
    database.fails = undefined
    await pass(flushed)
    expect((await refused(second, tokens(100, 1))).wait).toBeGreaterThan(1.49 * minute)
  })
})

/** Milliseconds by which their clocks differ at most. */
const apart = 600

/** What a process does after so many milliseconds: die and come again, or take some and, later, say what it has used. */
const step = fc.record({
  after: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 3_000 })),
  member: fc.nat(3),
  dies: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
  alone: fc.boolean(),
  need: fc.integer({ min: 1, max: 900 }),
  used: fc.nat(900),
  lasts: fc.integer({ min: 0, max: 5 }),
})

it('four processes that take, give back and die let no more through than a limit and what has come since', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 3_000 }), fc.array(step, { maxLength: 60 }), async (limit, steps) => {
      const time = new ManualClock()
      const began = time.now()
      const store = await memoryDatabase()
      const begin = (_: unknown, index: number) => {
        const life = { isOver: false }
        const after = (ms: number, action: () => void) => time.after(ms, () => !life.isOver && action())
        const company = { alone: false, join: () => {} }
        const now = () => time.now() + (index * apart) / 3
        const rates = new SharedRates({ database: store, clock: { now, after }, company })
        return { life, company, rates }
      }
      const members = Array.from({ length: 4 }, begin)
      const running: { at: number; over: () => void }[] = []
      let used = 0
      for (const [at, one] of steps.entries()) {
        await time.advance(one.after)
        for (const { over } of running.filter((request) => request.at === at)) over()
        const dying = members[one.member]
        if (one.dies && dying) {
          dying.life.isOver = true
          members[one.member] = begin(undefined, one.member)
        }
        const { rates, company, life } = members[one.member] as ReturnType<typeof begin>
        // What it believes of the others decides only what it takes ahead.
        company.alone = one.alone
        const take: Take = tokens(limit, one.need)
        const outcome = await inTime(time, Promise.resolve(rates.take([take])))
        if (isTooFast(outcome)) continue
        const most = Math.min(one.need, limit)
        const spent = Math.min(most, one.used)
        used += most
        const over = () => {
          // What a dead one had taken counts as used.
          if (life.isOver) return
          used -= most - spent
          rates.settle(outcome, { requests: 1, tokens: spent })
        }
        running.push({ at: at + one.lasts, over })
        const come = ((time.now() - began + apart) / minute) * limit
        expect(used).toBeLessThanOrEqual(limit + come + 1e-6)
      }
      await store.close()
    }),
    { numRuns: 200 },
  )
})
