import { describe, expect, it } from 'vitest'
import { requestIdAt, requestIds } from '../../src/wire/ids.ts'

describe('The ids of requests', () => {
  it('have the form that they always had', () => {
    expect(requestIds(Math.random, Date.now)()).toMatch(/^req_[0-9a-f]{32}$/)
    expect(
      requestIds(
        () => 0,
        () => 0,
      )(),
    ).toMatch(/^req_[0-9a-f]{32}$/)
    expect(
      requestIds(
        () => 1 - 2 ** -53,
        () => 2 ** 42,
      )(),
    ).toMatch(/^req_[0-9a-f]{32}$/)
  })

  it('sort by when they were made, also within a millisecond', () => {
    let now = 1_700_000_000_000
    const next = requestIds(Math.random, () => now)
    const made = Array.from({ length: 1000 }, (_, at) => {
      if (at % 100 === 0) now += 0.7
      return next()
    })
    expect([...made].sort()).toEqual(made)
    expect(requestIdAt(now + 1) > (made.at(-1) ?? '')).toBe(true)
    expect(requestIdAt(1_700_000_000_000) < (made[0] ?? '')).toBe(true)
  })

  it('are never those of another process', () => {
    const made = Array.from({ length: 200 }, () => requestIds(Math.random, () => 1_700_000_000_000)())
    expect(new Set(made).size).toBe(200)
  })
})
