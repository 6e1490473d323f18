import { expect, it } from 'vitest'
import type { SlicedMeters } from '../../src/state/sliced-meters.ts'
import { sqlitePlace } from '../support/meters.ts'

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
