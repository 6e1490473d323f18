import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { proveObjects } from '../proofs/budget/objects.ts'
import { proveBudget } from '../proofs/budget/prove.ts'
import { postgresForTests } from '../support/postgres-for-tests.ts'
import { usually } from '../support/usually.ts'

const folder = await mkdtemp(join(tmpdir(), 'budget-test-'))
afterAll(() => rm(folder, { recursive: true }))

let files = 0
const postgres = await postgresForTests()
const engines: Readonly<Record<string, () => Promise<string>>> = {
  'one file': async () => `file:${join(folder, `${++files}.db`)}`,
  ...(postgres && { 'one PostgreSQL': () => postgres.database() }),
}
const limit = usually(10_000, 100_000)
const settings = { limit, most: 100, keys: 5, processes: 3, clients: 20, answerMs: 20 }

// The long form is `npm run prove:budget`.
describe.each(Object.entries(engines))('Processes that share %s', (_, place) => {
  it('spend a budget to the last request that fits, and no further', async ({ signal }) => {
    const { problems, requests } = await proveBudget({ ...settings, fates: [], url: await place(), signal })
    expect(problems).toEqual([])
    expect(requests).toBeGreaterThan(limit / 33)
  })

  it('never exceed it where some are killed or stopped, and book what may have been spent', async ({ signal }) => {
    const fates = ['kill', 'stop', 'kill'] as const
    const { problems, lines } = await proveBudget({ ...settings, fates, url: await place(), signal })
    expect(problems).toEqual([])
    expect(lines[0]?.lost).toBeGreaterThan(0)
  })
})

describe('Isolates of a Worker that share one Durable Object', () => {
  const shared = { limit: 10_000, most: 100, keys: 5, clients: 10, answerMs: 5, isolates: 3, lease: 500 }

  it('spend a budget to the last request that fits, and no further', async ({ signal }) => {
    const { problems, requests } = await proveObjects({ ...shared, fates: [], dying: 0, signal })
    expect(problems).toEqual([])
    expect(requests).toBeGreaterThan(300)
  })

  it('never exceed it where some are ended or stopped, and book what may have been spent', async ({ signal }) => {
    const { problems, lines } = await proveObjects({ ...shared, fates: ['kill', 'stop'], dying: 2, signal })
    expect(problems).toEqual([])
    expect(lines[0]?.lost).toBeGreaterThan(0)
  })
})
