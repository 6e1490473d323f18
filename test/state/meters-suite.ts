import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Granted } from '../../src/state/meters.ts'
import { type AnyMeters, budget, granted, parallel } from '../support/holds.ts'

/** A place where meters are kept, for one test. */
export interface MeterPlace {
  /** As one more process that shares them. */
  join(): Promise<AnyMeters>
  close(): Promise<void>
}

/** Repeatable. Of 0 to `most`, whole. */
function dice(seed: number): (most: number) => number {
  let state = seed
  return (most) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state % (most + 1)
  }
}

/** What is promised of meters, wherever they are kept. `members`: how many processes, or isolates, share them. */
export function testMeters(place: () => Promise<MeterPlace>, members: number): void {
  let home: MeterPlace
  let all: AnyMeters[]
  const one = () => all[0] as AnyMeters
  const last = () => all.at(-1) as AnyMeters

  beforeEach(async () => {
    home = await place()
    all = await Promise.all(Array.from({ length: members }, () => home.join()))
  })
  afterEach(() => home.close())

  it.each([0, 250, 495])('grant 50 at once no more than is left of 500 when %d is spent', async (spent) => {
    const meter = budget(500)
    if (spent > 0) (await granted(one(), { meter, amount: spent })).settle([spent])
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => (all[index % members] as AnyMeters).reserve([{ meter, amount: 10 }])),
    )
    const fit = Math.floor((500 - spent) / 10)
    expect(answers.filter((answer) => answer.granted)).toHaveLength(Math.min(50, fit))
    for (const answer of answers) if (!answer.granted) expect(answer).toMatchObject({ meter, left: expect.any(Number) })
    for (const answer of answers) if (answer.granted) answer.settle([1])
    const { spent: booked, lost } = await sumOf(all, meter)
    expect({ booked, lost }).toEqual({ booked: spent + Math.min(50, fit), lost: 0 })
  })

  it('spend a budget to within one reservation, whatever requests turn out to cost', async () => {
    const meter = budget(20_000)
    const roll = dice(7)
    let used = 0
    const client = async (meters: AnyMeters) => {
      for (;;) {
        const grant = await meters.reserve([{ meter, amount: 100 }])
        if (!grant.granted) return
        const cost = roll(100)
        // Its answer takes a turn of the event loop.
        await new Promise((turn) => setTimeout(turn, 0))
        used += cost
        grant.settle([cost])
      }
    }
    await Promise.all(all.flatMap((meters) => Array.from({ length: 10 }, () => client(meters))))
    const { spent, lost } = await sumOf(all, meter)
    expect({ spent, lost }).toEqual({ spent: used, lost: 0 })
    expect(used).toBeLessThanOrEqual(20_000)
    expect(used).toBeGreaterThan(20_000 - 100 * 2)
  })

  it('refuse the first request of all if it is above the limit', async () => {
    expect(await one().reserve([{ meter: budget(9), amount: 10 }])).toEqual({
      granted: false,
      meter: budget(9),
      left: 9,
    })
    expect(await one().read(budget(9))).toEqual({ spent: 0, held: 0, lost: 0 })
  })

  it('settle a grant once', async () => {
    const meter = budget(100)
    const grant = await granted(one(), { meter, amount: 60 })
    grant.settle([20])
    grant.settle([60])
    expect(await grant.extend([1])).toBe(false)
    expect((await sumOf(all, meter)).spent).toBe(20)
    await granted(last(), { meter, amount: 80 })
    expect((await last().reserve([{ meter, amount: 1 }])).granted).toBe(false)
  })

  it('grant more to a request that needs more, as long as there is some', async () => {
    const meter = budget(100)
    const grant = await granted(one(), { meter, amount: 60 })
    expect(await grant.extend([40])).toBe(true)
    expect(await grant.extend([1])).toBe(false)
    expect((await last().reserve([{ meter, amount: 1 }])).granted).toBe(false)
    grant.settle([95])
    await granted(last(), { meter, amount: 5 })
  })

  it('give back what was extended for a request that was settled meanwhile', async () => {
    const meter = budget(100)
    const grant = await granted(one(), { meter, amount: 10 })
    const more = grant.extend([90])
    grant.settle([0])
    expect([true, false]).toContain(await more)
    await granted(last(), { meter, amount: 100 })
  })

  it('book all that was used, more than was held included, and refuse from then on', async () => {
    const meter = budget(100)
    ;(await granted(one(), { meter, amount: 60 })).settle([130])
    expect(await sumOf(all, meter)).toMatchObject({ spent: 130 })
    expect(await last().reserve([{ meter, amount: 1 }])).toEqual({ granted: false, meter, left: 0 })
  })

  it.each([Number.NaN, -1, Number.POSITIVE_INFINITY])(
    'book what was held where %d was said to be used',
    async (used) => {
      const meter = budget(100)
      ;(await granted(one(), { meter, amount: 60 })).settle([used])
      expect((await sumOf(all, meter)).spent).toBe(60)
    },
  )

  it.each([1.5, -1, Number.NaN, 2 ** 60])('take no amount of %d for one', (amount) => {
    expect(() => one().reserve([{ meter: budget(100), amount }])).toThrow(RangeError)
  })

  it('take from all of several meters or from none', async () => {
    const meters = ['key:a', 'project:a', 'user:a'].map((subject) => budget(100, subject))
    const small = budget(5, 'model:a')
    const refusal = await one().reserve([...meters, small].map((meter) => ({ meter, amount: 10 })))
    expect(refusal).toEqual({ granted: false, meter: small, left: 5 })
    for (const meter of meters) (await granted(last(), { meter, amount: 100 })).settle([0])
    const enough = budget(10, 'model:b')
    const grant = await granted(one(), ...[...meters, enough].map((meter) => ({ meter, amount: 10 })))
    grant.settle([1, 2, 3, 4])
    const spent = await Promise.all([...meters, enough].map(async (meter) => (await sumOf(all, meter)).spent))
    expect(spent).toEqual([1, 2, 3, 4])
  })

  it('settle a request in the window in which it was reserved', async () => {
    const [before, after] = [budget(100, 'key:a', 1_000), budget(100, 'key:a', 2_000)]
    const grant = await granted(one(), { meter: before, amount: 100 })
    const next = await granted(last(), { meter: after, amount: 100 })
    grant.settle([70])
    next.settle([30])
    expect([(await sumOf(all, before)).spent, (await sumOf(all, after)).spent]).toEqual([70, 30])
    // The clock was put back.
    await granted(one(), { meter: before, amount: 30 })
    expect((await last().reserve([{ meter: before, amount: 1 }])).granted).toBe(false)
  })

  it('let as many requests run at once as they may, on whichever process', async () => {
    const meter = parallel(3)
    for (let turn = 0; turn < 5; turn++) {
      const grants: Granted[] = []
      for (let n = 0; n < 3; n++)
        grants.push(await granted(all[(turn + n) % members] as AnyMeters, { meter, amount: 1 }))
      expect((await one().reserve([{ meter, amount: 1 }])).granted).toBe(false)
      for (const grant of grants) grant.settle([0])
    }
    expect((await sumOf(all, meter)).spent).toBe(0)
  })

  it('obey a limit that was lowered or raised at once', async () => {
    const grant = await granted(one(), { meter: budget(10_000), amount: 10 })
    expect((await one().reserve([{ meter: budget(15), amount: 10 }])).granted).toBe(false)
    await granted(one(), { meter: budget(20), amount: 10 })
    expect((await one().reserve([{ meter: budget(20), amount: 1 }])).granted).toBe(false)
    await granted(one(), { meter: budget(21), amount: 1 })
    grant.settle([0])
  })
}

/** What a meter says once every process has told what it has spent. */
async function sumOf(all: readonly AnyMeters[], meter: Parameters<AnyMeters['read']>[0]) {
  for (const meters of all) await meters.read(meter)
  return (all[0] as AnyMeters).read(meter)
}
