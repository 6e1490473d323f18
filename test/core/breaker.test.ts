import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Breaker, type Cooldown } from '../../src/core/breaker.ts'

const settings: Cooldown = {
  allowedFails: 3,
  failureRate: 0.5,
  minRequests: 10,
  window: 30_000,
  cooldownTime: 5_000,
  longest: 60_000,
}

/** A breaker whose cooldowns aren't varied. */
const breakerOf = (more: Partial<Cooldown> = {}) => new Breaker({ ...settings, ...more }, () => 0.5)

function failing(breaker: Breaker, times: number, now = 0): Breaker {
  for (let time = 0; time < times; time++) breaker.failed(now, 'failed')
  return breaker
}

describe('A deployment that fails', () => {
  it('is asked again until it has failed too often in a row', () => {
    const breaker = failing(breakerOf(), 2)
    expect(breaker.state(0)).toBe('closed')
    breaker.succeeded(0)
    failing(breaker, 2)
    expect(breaker.admit(0)).toBe(true)
    failing(breaker, 1)
    expect([breaker.state(0), breaker.admit(0), breaker.wait(0)]).toEqual(['open', false, 5_000])
  })

  it('is left alone if half of its attempts fail, though never many in a row', () => {
    const breaker = breakerOf()
    for (let time = 0; time < 4; time++) {
      breaker.succeeded(time)
      breaker.failed(time, 'failed')
    }
    breaker.succeeded(5)
    expect(breaker.state(5)).toBe('closed')
    breaker.failed(6, 'failed')
    expect(breaker.state(6)).toBe('open')
  })

  it('is forgiven what is older than the window', () => {
    const breaker = breakerOf({ allowedFails: 100 })
    failing(breaker, 9, 0)
    breaker.failed(40_000, 'failed')
    expect(breaker.state(40_000)).toBe('closed')
  })

  it('gets one request when its cooldown is over, and all again when that succeeds', () => {
    const breaker = failing(breakerOf(), 3)
    expect(breaker.admit(4_999)).toBe(false)
    expect(breaker.admit(5_000)).toBe(true)
    expect([breaker.state(5_000), breaker.admit(5_000), breaker.admit(5_001)]).toEqual(['half_open', false, false])
    breaker.answered()
    expect([breaker.state(5_002), breaker.admit(5_002)]).toEqual(['closed', true])
  })

  it('gets twice the cooldown each time that the one request fails, up to a limit', () => {
    const breaker = failing(breakerOf(), 3)
    const waits: number[] = []
    let now = 0
    for (let time = 0; time < 6; time++) {
      now += breaker.wait(now)
      waits.push(now)
      expect(breaker.admit(now)).toBe(true)
      breaker.failed(now, 'failed')
    }
    expect(waits).toEqual([5_000, 15_000, 35_000, 75_000, 135_000, 195_000])
  })

  it('gets another request if the one ended without telling anything', () => {
    const breaker = failing(breakerOf(), 3)
    breaker.admit(5_000)
    breaker.released(6_000)
    expect([breaker.admit(6_000), breaker.admit(6_000)]).toEqual([true, false])
  })

  it('gets another request if the outcome of the one is never told', () => {
    const breaker = failing(breakerOf(), 3)
    breaker.admit(5_000)
    expect(breaker.admit(64_999)).toBe(false)
    expect(breaker.admit(65_000)).toBe(true)
  })

  it('is left alone at once, and as long as it asks, when it limits its rate', () => {
    const breaker = breakerOf()
    breaker.failed(0, 'limited', 90_000)
    expect(breaker.wait(0)).toBe(90_000)
    breaker.failed(10_000, 'limited', 120_000)
    expect(breaker.wait(10_000)).toBe(120_000)
    breaker.failed(20_000, 'limited', 1)
    expect(breaker.wait(20_000)).toBe(110_000)
  })

  it('is left alone for minutes when it rejects the credentials or wants to be paid', () => {
    const breaker = breakerOf()
    breaker.failed(0, 'rejected')
    expect(breaker.wait(0)).toBe(300_000)
  })

  it('counts a request that is sent in spite of its cooldown as a probe', () => {
    const breaker = failing(breakerOf(), 3)
    breaker.force(1_000)
    breaker.failed(1_000, 'failed')
    expect(breaker.wait(1_000)).toBe(10_000)
    breaker.force(2_000)
    breaker.succeeded(2_000)
    expect(breaker.state(2_000)).toBe('closed')
  })

  it.each([
    [0, 4_500],
    [0.999_999_9, 5_500],
  ])('comes back at a time that varies (%d)', (random, wait) => {
    expect(failing(new Breaker(settings, () => random), 3).wait(0)).toBeCloseTo(wait, 0)
  })
})

describe('Whatever happens to a deployment', () => {
  const event = fc.record({
    after: fc.integer({ min: 0, max: 90_000 }),
    what: fc.constantFrom('admit', 'answered', 'succeeded', 'failed', 'limited', 'rejected', 'released', 'force'),
    retryAfter: fc.integer({ min: 0, max: 400_000 }),
  })

  function play(breaker: Breaker, { what, retryAfter }: { what: string; retryAfter: number }, now: number) {
    if (what === 'admit') return breaker.admit(now)
    if (what === 'answered') breaker.answered()
    else if (what === 'succeeded') breaker.succeeded(now)
    else if (what === 'released') breaker.released(now)
    else if (what === 'force') breaker.force(now)
    else breaker.failed(now, what as 'failed', retryAfter)
    return undefined
  }

  /** Returns the time after the last event. */
  function playAll(breaker: Breaker, events: readonly { after: number; what: string; retryAfter: number }[]): number {
    let now = 0
    for (const next of events) {
      now += next.after
      play(breaker, next, now)
    }
    return now
  }

  it('it passes exactly when there is nothing to wait for, and a wait is bounded', () => {
    fc.assert(
      fc.property(fc.array(event), fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), (events, random) => {
        const breaker = new Breaker(settings, () => random)
        let now = 0
        for (const next of events) {
          now += next.after
          const wait = breaker.wait(now)
          const passed = play(breaker, next, now)
          if (passed !== undefined) expect(passed).toBe(wait === 0)
          expect(breaker.wait(now)).toBeLessThanOrEqual(Math.max(60 * 60_000 * 1.1, 400_000))
          // Nobody who waits as long as it says waits in vain.
          expect(breaker.wait(now + breaker.wait(now))).toBe(0)
        }
      }),
    )
  })

  it('only one of the requests that come at the end of a cooldown passes', () => {
    fc.assert(
      fc.property(fc.array(event), fc.integer({ min: 1, max: 20 }), (events, asking) => {
        const breaker = breakerOf()
        let now = playAll(breaker, events)
        breaker.failed(now, 'rejected')
        now += breaker.wait(now)
        expect(Array.from({ length: asking }, () => breaker.admit(now)).filter(Boolean)).toHaveLength(1)
      }),
    )
  })

  it('a success closes it, and the next failure alone does not open it', () => {
    fc.assert(
      fc.property(fc.array(event), (events) => {
        const breaker = breakerOf()
        const now = playAll(breaker, events) + settings.window
        breaker.succeeded(now)
        expect(breaker.state(now)).toBe('closed')
        breaker.failed(now, 'failed')
        expect(breaker.state(now)).toBe('closed')
      }),
    )
  })
})
