import { expect, it } from 'vitest'
import { reloading } from '../proofs/reloading.ts'

it.each([1, 2])(
  'No request is lost or answered half by one configuration while it changes, with %i workers',
  async (workers) => {
    const outcome = await reloading({ workers, connections: 8, requests: 600, reloads: 8 })
    expect(outcome).toMatchObject({ answered: 600, streams: 200, lost: [], wrong: [], applied: 6, kept: 2 })
  },
)
