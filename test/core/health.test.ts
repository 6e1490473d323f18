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
