import { describe, expect, it } from 'vitest'
import { KnownShortcomings } from '../../src/core/shortcomings.ts'
import { ManualClock } from '../support/gateway.ts'

describe('What deployments have said that they can’t do', () => {
  it('is known by deployment and by capability, for ten minutes', async () => {
    const clock = new ManualClock()
    const known = new KnownShortcomings(clock)
    known.add('p/m', 'tools')
    expect([known.has('p/m', 'tools'), known.has('p/m', 'vision'), known.has('p/n', 'tools')]).toEqual([
      true,
      false,
      false,
    ])
    await clock.advance(600_000)
    expect(known.has('p/m', 'tools')).toBe(false)
  })

  it('is bounded: the oldest is forgotten first, and what is said again is new', () => {
    const known = new KnownShortcomings(new ManualClock())
    known.add('p/first', 'tools')
    known.add('p/second', 'tools')
    known.add('p/first', 'tools')
    for (let at = 0; at < 999; at++) known.add(`p/${at}`, 'tools')
    expect([known.has('p/second', 'tools'), known.has('p/first', 'tools')]).toEqual([false, true])
  })
})
