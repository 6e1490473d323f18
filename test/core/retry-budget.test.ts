import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RetryBudget } from '../../src/core/retry-budget.ts'
import { ManualClock } from '../support/gateway.ts'

const spend = (budget: RetryBudget, most = 1000) => {
  let count = 0
  while (count < most && budget.withdraw()) count++
  return count
}

describe('The retries of a gateway', () => {
  it('are a fifth of its requests in a storm, and ten a second in any case', async () => {
    const clock = new ManualClock()
    const budget = new RetryBudget(clock)
    expect(spend(budget)).toBe(100)
    for (let request = 0; request < 100; request++) budget.deposit()
    expect(spend(budget)).toBeCloseTo(20, -1)
    await clock.advance(2_000)
    expect(spend(budget)).toBe(20)
    await clock.advance(3_600_000)
    expect(spend(budget)).toBe(100)
  })

  it('are never more than what was saved, a fifth of the requests and ten a second', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ ms: fc.nat(3_000), requests: fc.nat(50), tries: fc.nat(50) })),
        async (steps) => {
          const clock = new ManualClock()
          const budget = new RetryBudget(clock)
          let allowed = 100
          let spent = 0
          for (const { ms, requests, tries } of steps) {
            await clock.advance(ms)
            for (let request = 0; request < requests; request++) budget.deposit()
            allowed += ms / 100 + requests * 0.2
            spent += spend(budget, tries)
            expect(spent).toBeLessThanOrEqual(allowed + 1e-6)
          }
        },
      ),
    )
  })
})
