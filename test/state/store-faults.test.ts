import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { locked, movedAway, replaced } from '../proofs/store/faults.ts'
import { proveStore } from '../proofs/store/prove.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'store-faults-'))
})
afterAll(() => rm(folder, { recursive: true }))

// The long form, with a full disk and PostgreSQL, is `npm run prove:store`.
it('a file that is locked, moved away or replaced for a while costs no answer, no row and no nano-dollar, and holds up nobody', async () => {
  const path = join(folder, 'state.db')
  const faults = [locked(path, 400), movedAway(path, 200), replaced(path, 200)]
  const { problems, held } = await proveStore({ url: `file:${path}`, faults, folder, calm: 100 })
  expect(problems).toEqual([])
  // Beside other tests it takes longer than where the long form runs alone, but far less than a lock lasts.
  expect(held?.ms ?? 0).toBeLessThan(60)
})
