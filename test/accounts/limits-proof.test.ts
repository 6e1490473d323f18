import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { proveLimits } from '../proofs/limits/prove.ts'
import { postgresForTests } from '../support/postgres-for-tests.ts'

const folder = await mkdtemp(join(tmpdir(), 'limits-test-'))
afterAll(() => rm(folder, { recursive: true }))

let files = 0
const postgres = await postgresForTests()
const engines: Readonly<Record<string, () => Promise<string>>> = {
  'one file': async () => `file:${join(folder, `${++files}.db`)}`,
  ...(postgres && { 'one PostgreSQL': () => postgres.database() }),
}
const settings = { rpm: 600, tpm: 12_000, keys: 10, most: 100, clients: 20, answerMs: 20, processes: 3, seconds: 4 }

// The long form is `npm run prove:limits`, which also says whether much was left, and how long nobody was let through: how
// fast clients ask is up to the machine.
describe.each(Object.entries(engines))('Processes that share %s', (_, place) => {
  it.each([0, 2])('let through no more than limits a minute allow, where %i are killed', async (kills) => {
    const { lines, requests } = await proveLimits({ ...settings, kills, url: await place() })
    expect(lines.filter(({ over }) => over > 0)).toEqual([])
    expect(requests).toBeGreaterThan(600)
  })
})
