import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dollarsOf } from '../../src/prices/money.ts'
import { nanoDollarsOf } from '../../src/state/money.ts'
import { windowAt, windowEnd } from '../../src/state/window.ts'

const at = (text: string) => Date.parse(text)

describe('The window of a budget', () => {
  it.each([
    ['daily', '2026-03-01T23:59:59.999Z', '2026-03-01T00:00:00Z', '2026-03-02T00:00:00Z'],
    ['weekly', '2026-03-01T23:59:59.999Z', '2026-02-23T00:00:00Z', '2026-03-02T00:00:00Z'],
    ['weekly', '2026-03-02T00:00:00.000Z', '2026-03-02T00:00:00Z', '2026-03-09T00:00:00Z'],
    ['monthly', '2026-12-31T12:00:00Z', '2026-12-01T00:00:00Z', '2027-01-01T00:00:00Z'],
    ['monthly', '2028-02-29T12:00:00Z', '2028-02-01T00:00:00Z', '2028-03-01T00:00:00Z'],
  ] as const)('is the one by UTC: %s, %s', (reset, now, start, end) => {
    expect([windowAt(reset, at(now)), windowEnd(reset, at(now))]).toEqual([at(start), at(end)])
  })

  it('never ends without a reset', () => {
    expect([windowAt(null, Date.now()), windowEnd(null, Date.now())]).toEqual([0, undefined])
  })

  it('is the one that a time is in, without gaps', () => {
    const times = fc.double({ min: 0, max: 4e12, noNaN: true })
    fc.assert(
      fc.property(times, fc.constantFrom('daily', 'weekly', 'monthly'), (now, reset) => {
        const [start, end] = [windowAt(reset, now), windowEnd(reset, now) ?? Number.NaN]
        expect(start <= now && now < end).toBe(true)
        expect(windowAt(reset, end)).toBe(end)
        expect(windowAt(reset, end - 1)).toBe(start)
      }),
    )
  })
})

describe('Dollars', () => {
  it('are exact to nine decimals, there and back', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 8e15 }), (nano) => {
        const text = JSON.stringify(dollarsOf(nano))
        expect(nanoDollarsOf(Number(text))).toBe(nano)
        expect(Number(text).toFixed(9)).toBe(`${Math.floor(nano / 1e9)}.${String(nano % 1e9).padStart(9, '0')}`)
      }),
      { numRuns: 2_000 },
    )
  })

  it.each([0.1, 0.000000001, 25.000000004, 8_000_000])('are taken as they are: %s', (dollars) => {
    expect(dollarsOf(nanoDollarsOf(dollars) ?? Number.NaN)).toBe(dollars)
  })

  it.each([0.0000000001, 1 / 3, 8_000_000.1, Number.NaN, Number.POSITIVE_INFINITY, 1e300])(
    'are refused where they would be rounded: %s',
    (dollars) => {
      expect(nanoDollarsOf(dollars)).toBeUndefined()
    },
  )
})
