import { afterEach, expect, it, vi } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'

afterEach(() => {
  vi.useRealTimers()
})

// The fake timers overflow as Node's do.
it.each([2 ** 31, 1e10, Number.MAX_VALUE, Number.POSITIVE_INFINITY])('a time of %d ms is not over at once', (ms) => {
  vi.useFakeTimers()
  const action = vi.fn()
  const cancel = systemClock.after(ms, action)
  vi.advanceTimersByTime(1e9)
  expect(action).not.toHaveBeenCalled()
  cancel()
  expect(vi.getTimerCount()).toBe(0)
})
