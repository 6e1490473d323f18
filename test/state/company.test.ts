import { expect, it } from 'vitest'
import { SharedRates } from '../../src/accounts/shared-rates.ts'
import { systemClock } from '../../src/core/clock.ts'
import type { SlicedMeters } from '../../src/state/sliced-meters.ts'
import { sqlitePlace } from '../support/meters.ts'
import { requests, taken } from '../support/rates.ts'

it('a process knows whether others use the store, which come and go', async () => {
  const home = await sqlitePlace()
  const [first, second] = [(await home.join()) as SlicedMeters, (await home.join()) as SlicedMeters]
  // Until it has looked, there may be others.
  expect(first.alone).toBe(false)
  first.join()
  await expect.poll(() => first.alone).toBe(true)
  second.join()
  await expect.poll(() => first.alone).toBe(false)
  await second.close()
  await expect.poll(() => first.alone).toBe(true)
  await home.close()
})

it('a process that only counts what is per minute is known to others, too', async () => {
  const home = await sqlitePlace()
  const [first, second] = [(await home.join()) as SlicedMeters, (await home.join()) as SlicedMeters]
  const ratesOf = async (company: SlicedMeters) =>
    new SharedRates({ database: await home.connect(), clock: systemClock, company })
  const [one, other] = [await ratesOf(first), await ratesOf(second)]
  await taken(one, requests(60))
  await expect.poll(() => first.alone).toBe(true)
  await taken(other, requests(60))
  await expect.poll(() => first.alone).toBe(false)
  await Promise.all([one.close(), other.close()])
  await home.close()
})
