import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import { StoreError, type TransactionalDatabase } from '../../src/state/database.ts'
import { SlicedMeters } from '../../src/state/sliced-meters.ts'
import { type AnyMeters, budget, granted, parallel } from '../support/holds.ts'
import { hasty, type MeterPlace, postgresPlace, sqlitePlace, untilItSays } from '../support/meters.ts'
import { postgresForTests } from '../support/postgres-for-tests.ts'
import { StoppableClock } from '../support/stoppable-clock.ts'

const meter = budget(1_000)
let home: MeterPlace
const clocks: StoppableClock[] = []

/** One that another takes for dead as soon as its clock stops, and the other, which is at work too. */
async function stopping() {
  const { clock, stopped, living, told } = await watched()
  ;(await granted(living, { meter: budget(100, 'key:other'), amount: 1 })).settle([1])
  return { clock, stopped, living, told }
}

/** The same, but the other only watches. */
async function watched() {
  const clock = new StoppableClock()
  clocks.push(clock)
  const told: number[] = []
  const stopped = (await home.join({ clock })) as SlicedMeters
  const living = (await home.join({ lost: (amount) => told.push(amount) })) as SlicedMeters
  living.watch()
  return { clock, stopped, living, told }
}

async function reaped(living: AnyMeters, clock: StoppableClock): Promise<void> {
  clock.stop()
  await untilItSays(living, meter, ({ lost }) => lost > 0)
}

/** Fails where a test says: before a transaction is written, or after. */
function failing(database: TransactionalDatabase): TransactionalDatabase & { fails: 'before' | 'after' | undefined } {
  return {
    fails: undefined,
    all: (sql, values) => database.all(sql, values),
    batch: (statements) => database.batch(statements),
    close: () => database.close(),
    async transaction(work) {
      const { fails } = this
      const result = await database.transaction(async (inside) => {
        const done = await work(inside)
        if (fails === 'before') throw new StoreError('the disk is full')
        return done
      })
      if (fails === 'after') throw new StoreError('the connection was lost')
      return result
    },
  }
}

const postgres = await postgresForTests()
const engines: Readonly<Record<string, () => Promise<MeterPlace>>> = {
  SQLite: sqlitePlace,
  ...(postgres && { PostgreSQL: () => postgresPlace(postgres) }),
}

describe.each(Object.entries(engines))('In %s', (_, place) => {
  beforeEach(async () => {
    home = await place()
  })
  afterEach(async () => {
    for (const clock of clocks.splice(0)) clock.goOn()
    await home.close()
  })

  describe('A process that dies', () => {
    it('has all booked that it had leased, and told as lost', async () => {
      const { clock, stopped, living, told } = await stopping()
      await granted(stopped, { meter, amount: 300 })
      await reaped(living, clock)
      const { spent, held, lost } = await living.read(meter)
      expect({ held, same: spent === lost }).toEqual({ held: 0, same: true })
      expect(lost).toBeGreaterThanOrEqual(300)
      expect(told).toEqual([lost])
      expect((await living.reserve([{ meter, amount: 701 }])).granted).toBe(false)
    })

    it('is found by one that has leased nothing itself, and is nobody’s company by that', async () => {
      const { clock, stopped, told } = await watched()
      await granted(stopped, { meter, amount: 300 })
      await expect.poll(() => stopped.alone).toBe(true)
      clock.stop()
      await expect.poll(() => told).toEqual([expect.any(Number)])
      const connection = await home.connect()
      expect(await connection.all('SELECT owner FROM owners')).toEqual([])
      const [row] = await connection.all('SELECT held, lost FROM meters')
      expect(row).toEqual({ held: 0, lost: told[0] })
    })

    it('keeps nobody from running as many requests at once as before', async () => {
      const { clock, stopped, living } = await stopping()
      await granted(stopped, { meter, amount: 1 }, { meter: parallel(2), amount: 2 })
      await reaped(living, clock)
      await granted(living, { meter: parallel(2), amount: 2 })
      expect(await living.read(parallel(2))).toMatchObject({ spent: 0, lost: 0 })
    })

    it('can be forgiven', async () => {
      const { clock, stopped, living } = await stopping()
      await granted(stopped, { meter, amount: 300 })
      await reaped(living, clock)
      await living.forgive(meter)
      expect(await living.read(meter)).toEqual({ spent: 0, held: 0, lost: 0 })
      await granted(living, { meter, amount: 1_000 })
    })
  })

  describe('A process that was only slow', () => {
    it('puts right what was booked for it', async () => {
      const { clock, stopped, living } = await stopping()
      const [settled, running] = [
        await granted(stopped, { meter, amount: 300 }),
        await granted(stopped, { meter, amount: 100 }),
      ]
      await reaped(living, clock)
      settled.settle([40])
      clock.goOn()
      await untilItSays(living, meter, ({ lost }) => lost === 0)
      expect(await living.read(meter)).toEqual({ spent: 40, held: 100, lost: 0 })
      running.settle([100])
      await stopped.read(meter)
      expect(await living.read(meter)).toEqual({ spent: 140, held: 0, lost: 0 })
    })

    it('never lets others spend what it spends itself', async () => {
      const { clock, stopped, living } = await stopping()
      const early = await granted(stopped, { meter, amount: 300 })
      await reaped(living, clock)
      const { spent } = await living.read(meter)
      const rest = await granted(living, { meter, amount: 1_000 - spent })
      clock.goOn()
      await untilItSays(living, meter, ({ lost }) => lost === 0)
      early.settle([300])
      rest.settle([1_000 - spent])
      await stopped.read(meter)
      const after = await living.read(meter)
      expect(after).toEqual({ spent: 300 + 1_000 - spent, held: 0, lost: 0 })
      expect(after.spent).toBeLessThanOrEqual(1_000)
    })

    it('is booked on top if it was forgiven before it came back', async () => {
      const { clock, stopped, living } = await stopping()
      const early = await granted(stopped, { meter, amount: 300 })
      await reaped(living, clock)
      await living.forgive(meter)
      early.settle([200])
      clock.goOn()
      await untilItSays(living, meter, ({ spent }) => spent > 0)
      expect(await living.read(meter)).toEqual({ spent: 200, held: 0, lost: 0 })
    })

    it('takes nobody for dead who slept as long', async () => {
      const { clock, stopped, living } = await stopping()
      const grant = await granted(living, { meter, amount: 300 })
      await granted(stopped, { meter: budget(100, 'key:third'), amount: 1 })
      clock.stop()
      await untilItSays(living, budget(100, 'key:third'), ({ lost }) => lost > 0)
      clock.goOn()
      await stopped.read(meter)
      expect(await living.read(meter)).toMatchObject({ lost: 0, spent: 0 })
      grant.settle([0])
    })
  })

  describe('A process that ends', () => {
    it('gives back what it leased ahead, and books what nobody settled', async () => {
      const [leaving, staying] = [await home.join(), await home.join()]
      ;(await granted(leaving, { meter, amount: 10 })).settle([7])
      const running = await granted(leaving, { meter, amount: 20 })
      await (leaving as SlicedMeters).close()
      running.settle([1])
      expect(await staying.read(meter)).toEqual({ spent: 27, held: 0, lost: 20 })
      await expect(leaving.reserve([{ meter, amount: 1 }])).rejects.toThrow(StoreError)
    })
  })

  describe('What is leased ahead', () => {
    const large = budget(1_000_000)

    it('lets the next requests go on without asking the store', async () => {
      const meters = await home.join()
      ;(await granted(meters, { meter: large, amount: 100 })).settle([50])
      const next = meters.reserve([{ meter: large, amount: 100 }])
      expect(next).not.toBeInstanceOf(Promise)
      expect(next).toMatchObject({ granted: true })
    })

    it('goes back when nobody needs it', async () => {
      const meters = await home.join()
      ;(await granted(meters, { meter: large, amount: 100 })).settle([50])
      await untilItSays(meters, large, ({ held }) => held === 0)
      expect(await meters.read(large)).toEqual({ spent: 50, held: 0, lost: 0 })
    })

    it('goes back when another process lacks it', async () => {
      const [rich, poor] = [await home.join(), await home.join()]
      await granted(rich, { meter: large, amount: 900_000 })
      await granted(poor, { meter: large, amount: 100_000 })
    })
  })

  describe.each(['before', 'after'] as const)('A store that fails %s it has written', (when) => {
    it('neither loses nor doubles what was spent, nor what was granted', async () => {
      const database = failing(await home.connect())
      const meters = new SlicedMeters(database, { clock: systemClock, owner: 'failing', ...hasty })
      const grant = await granted(meters, { meter, amount: 100 })
      database.fails = when
      grant.settle([60])
      await expect(meters.reserve([{ meter, amount: 500 }])).rejects.toThrow(StoreError)
      await meters.flush()
      database.fails = undefined
      await untilItSays(meters, meter, ({ held }) => held === 0)
      expect(await meters.read(meter)).toEqual({ spent: 60, held: 0, lost: 0 })
      ;(await granted(meters, { meter, amount: 940 })).settle([940])
      expect(await meters.read(meter)).toMatchObject({ spent: 1_000 })
      await meters.close()
    })
  })

  describe('A database that another has locked', () => {
    it('holds up only requests that need more than was leased, and the process never', async () => {
      const large = budget(1_000_000)
      const [meters, other] = [await home.join(), await home.connect()]
      // What is leased ahead goes back soon.
      ;(await granted(meters, { meter: large, amount: 100 })).settle([50])
      const unlock = Promise.withResolvers<void>()
      const locked = other.transaction(() => unlock.promise)
      const quick = meters.reserve([{ meter: large, amount: 100 }])
      expect(quick).toMatchObject({ granted: true })
      const slow = granted(meters, { meter: large, amount: 500_000 })
      let turns = 0
      while (turns < 50) {
        await new Promise((turn) => setTimeout(turn, 1))
        turns++
      }
      unlock.resolve()
      await locked
      ;(await slow).settle([500_000])
      expect(await meters.read(large)).toMatchObject({ spent: 500_050 })
    })
  })
})
