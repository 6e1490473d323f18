import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Bucket } from '../../src/accounts/bucket.ts'

const minute = 60_000

describe('A limit per minute', () => {
  it('lets through as many at once as it allows in a minute, and says how long to wait for the next', () => {
    const bucket = new Bucket(3, 0)
    for (let n = 0; n < 3; n++) {
      expect(bucket.wait(1, 0)).toBe(0)
      bucket.take(1)
    }
    expect(bucket.wait(1, 0)).toBe(20_000)
    expect(bucket.wait(1, 19_999)).toBe(1)
    expect(bucket.wait(1, 20_000)).toBe(0)
  })

  it('is full again after a minute, and never holds more than that', () => {
    const bucket = new Bucket(100, 0)
    bucket.take(100)
    expect([bucket.left(30_000), bucket.reset(30_000)]).toEqual([50, 30_000])
    expect([bucket.left(minute), bucket.left(10 * minute), bucket.reset(10 * minute)]).toEqual([100, 100, 0])
    bucket.giveBack(50, 10 * minute)
    expect(bucket.left(10 * minute)).toBe(100)
  })

  it('owes what was used beyond what was taken', () => {
    const bucket = new Bucket(100, 0)
    bucket.take(100)
    bucket.giveBack(-100, 0)
    expect([bucket.left(0), bucket.wait(1, 0)]).toEqual([0, 60_600])
  })

  it('takes all it has for what is more than it can hold', () => {
    const bucket = new Bucket(100, 0)
    expect(bucket.wait(5_000, 0)).toBe(0)
    bucket.take(60)
    expect(bucket.wait(5_000, 0)).toBe(36_000)
  })

  it('gives nothing while the clock is set back', () => {
    const bucket = new Bucket(60, 10 * minute)
    bucket.take(60)
    expect([bucket.left(0), bucket.left(10 * minute), bucket.left(10 * minute + 1_000)]).toEqual([0, 0, 1])
  })

  it('keeps what was used when it is changed', () => {
    const bucket = new Bucket(100, 0)
    bucket.take(70)
    expect([
      bucket.resized(200, 0).left(0),
      bucket.resized(50, 0).left(0),
      bucket.resized(100, minute).left(minute),
    ]).toEqual([130, 0, 100])
  })

  it('never lets through more than it holds and what has come since, whatever is taken and given back', () => {
    const step = fc.record({
      after: fc.integer({ min: 0, max: 5_000 }),
      need: fc.integer({ min: 1, max: 40 }),
      used: fc.nat(40),
    })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), fc.array(step, { maxLength: 60 }), (limit, steps) => {
        const bucket = new Bucket(limit, 0)
        let now = 0
        let used = 0
        for (const one of steps) {
          now += one.after
          if (bucket.wait(one.need, now) > 0) continue
          const taken = Math.min(one.need, limit)
          bucket.take(taken)
          const spent = Math.min(taken, one.used)
          bucket.giveBack(taken - spent, now)
          used += spent
          expect(used).toBeLessThanOrEqual(limit + (now / minute) * limit + 1e-6)
        }
      }),
    )
  })
})
