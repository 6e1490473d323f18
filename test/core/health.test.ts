import { expect, it } from 'vitest'
import { HealthBook } from '../../src/core/health.ts'
import { ManualClock } from '../support/gateway.ts'

it('What is known of a deployment in use isn’t pushed out by names that callers make up', () => {
  const book = new HealthBook({ clock: new ManualClock(), random: () => 0 }, undefined)
  const used = book.of('lab/used')
  const unused = book.of('lab/unused')
  for (let name = 0; name < 20_000; name++) {
    book.of(`lab/${name}`)
    if (name % 100 === 0) expect(book.of('lab/used')).toBe(used)
  }
  expect([...book.labels()].length).toBeLessThanOrEqual(10_000)
  expect(book.of('lab/unused')).not.toBe(unused)
})

it('The log says once that a deployment is left alone, and once that it is back', () => {
  const log: string[] = []
  const settings = {
    allowedFails: 2,
    failureRate: 1,
    minRequests: 99,
    window: 30_000,
    cooldownTime: 5_000,
    longest: 120_000,
  }
  const book = new HealthBook(
    { clock: new ManualClock(), random: () => 0.5, log: (line, level = 'info') => log.push(`${level} ${line}`) },
    settings,
  )
  const { breaker } = book.of('up/m')
  for (let now = 0; now < 4; now++) breaker?.failed(now, 'failed')
  expect(log).toEqual(['warn up/m: left alone for 5 s after failures'])
  breaker?.admit(6_000)
  breaker?.failed(6_001, 'failed')
  expect(log).toHaveLength(1)
  for (let now = 20_000; now < 20_003; now++) breaker?.succeeded(now)
  expect(log.slice(1)).toEqual(['info up/m: answers again'])
})
