import { afterEach, beforeEach, expect, it } from 'vitest'
import { isTooFast, type Take } from '../../src/accounts/rates.ts'
import { type AnyRates, type RatePlace, refused, requests, taken, tokens } from '../support/rates.ts'

const minute = 60_000
const nothing = { requests: 0, tokens: 0 }

/** What is promised of limits a minute, wherever they are counted. `members`: how many processes share them. */
export function testRates(place: () => Promise<RatePlace>, members: number): void {
  let home: RatePlace
  let all: AnyRates[]
  const one = () => all[0] as AnyRates
  const last = () => all.at(-1) as AnyRates

  beforeEach(async () => {
    home = await place()
    all = await Promise.all(Array.from({ length: members }, () => home.join()))
  })
  afterEach(() => home.close())

  /** Asks all in turn, at once. Resolves with how many are let through. */
  async function passing(count: number, limit: number): Promise<number> {
    const asked = Array.from({ length: count }, (_, index) =>
      (all[index % members] as AnyRates).take([requests(limit)]),
    )
    const outcomes = await Promise.all(asked)
    return outcomes.filter((outcome) => !isTooFast(outcome)).length
  }

  /** A moment later each time, so that it may be asked about again. */
  async function isLetThrough(rates: AnyRates, take: Take): Promise<boolean> {
    home.clock.time += 100
    return !isTooFast(await rates.take([take]))
  }

  it('let through as many of 50 at once as there are left, and later as many as have come since', async () => {
    expect(await passing(50, 60)).toBe(50)
    expect(await passing(50, 60)).toBe(10)
    home.clock.time += 5_000
    expect(await passing(50, 60)).toBe(5)
    home.clock.time += 10 * minute
    expect(await passing(70, 60)).toBe(60)
  })

  it('tell a refused request what is left and when to come again', async () => {
    await taken(last(), tokens(600, 590))
    const { take, wait, left, all: levels } = await refused(one(), requests(5), tokens(600, 30))
    expect({ take, wait, left }).toEqual({ take: tokens(600, 30), wait: 2_000, left: 10 })
    const now = home.clock.now()
    expect(levels.map(({ bucket }) => [bucket.limit, bucket.left(now), bucket.reset(now)])).toEqual([
      [5, 5, 0],
      [600, 10, 59_000],
    ])
    home.clock.time += 2_000
    await taken(one(), tokens(600, 30))
  })

  it('tell a request that is let through what is left, whoever has taken the rest', async () => {
    await taken(last(), requests(60))
    const [own] = await taken(one(), requests(60))
    expect([own?.bucket.left(home.clock.now()), own?.bucket.reset(home.clock.now())]).toEqual([58, 2_000])
    home.clock.time += 1_500
    expect([own?.bucket.left(home.clock.now()), own?.bucket.reset(home.clock.now())]).toEqual([59, 500])
  })

  it('take of all limits or of none', async () => {
    await taken(one(), requests(1, 'model:m'))
    await refused(last(), requests(1, 'key:a'), tokens(100, 100), requests(1, 'model:m'))
    await taken(one(), requests(1, 'key:a'), tokens(100, 100))
  })

  it('have again what was not used, in any process, and never more than the limit', async () => {
    const first = await taken(one(), tokens(1_000, 900))
    one().settle(first, { requests: 1, tokens: 100 })
    await expect.poll(() => isLetThrough(last(), tokens(1_000, 900))).toBe(true)
    home.clock.time += minute
    const [early, late] = [await taken(one(), tokens(1_000, 1_000)), await refused(last(), tokens(1_000, 1))]
    expect(late.wait).toBe(60)
    home.clock.time += minute
    one().settle(early, nothing)
    await taken(last(), tokens(1_000, 1_000))
    // What came back was more than there was room for.
    for (const rates of all) await refused(rates, tokens(1_000, 100))
  })

  it('owe what was used beyond what was taken', async () => {
    const first = await taken(one(), tokens(100, 50))
    one().settle(first, { requests: 1, tokens: 250 })
    await refused(one(), tokens(100, 1))
    await expect.poll(() => isLetThrough(last(), tokens(100, 1))).toBe(false)
    home.clock.time += 1.5 * minute
    await refused(one(), tokens(100, 1))
    home.clock.time += minute / 10
    await taken(one(), tokens(100, 1))
  })

  it('let a request through that needs more than there can be, once there is all there can be', async () => {
    await taken(one(), tokens(100, 10))
    expect((await refused(last(), tokens(100, 5_000))).wait).toBe(6_000)
    home.clock.time += 6_000
    await taken(last(), tokens(100, 5_000))
    await refused(one(), tokens(100, 1))
  })

  it('count what was used before a limit was changed', async () => {
    await taken(one(), requests(60, 'key:a', 50))
    await refused(last(), requests(50))
    await taken(last(), requests(100, 'key:a', 50))
    await refused(one(), requests(100))
  })

  it('let nobody through while the clock is set back', async () => {
    await taken(one(), requests(60, 'key:a', 60))
    home.clock.time -= 500
    await refused(one(), requests(60))
    home.clock.time += 1_500
    await taken(one(), requests(60))
  })

  it('have nothing again of what was used', async () => {
    const first = await taken(one(), requests(1))
    await refused(last(), requests(1))
    one().settle(first, { requests: 1, tokens: 0 })
    await refused(last(), requests(1))
  })
}
