import { describe } from 'vitest'
import { postgresForTests } from '../support/postgres-for-tests.ts'
import { memoryRates, postgresRates, type RatePlace, sqliteRates } from '../support/rates.ts'
import { testRates } from './rates-suite.ts'

interface Subject {
  readonly place: () => Promise<RatePlace>
  /** How many processes share the limits. */
  readonly members: number
}

const postgres = await postgresForTests()
const subjects: Readonly<Record<string, Subject>> = {
  'in memory': { place: memoryRates, members: 1 },
  'in SQLite, of one process': { place: () => sqliteRates(true), members: 1 },
  'in SQLite, of four': { place: sqliteRates, members: 4 },
  ...(postgres && { 'in PostgreSQL, of three': { place: () => postgresRates(postgres), members: 3 } }),
}

describe.each(Object.entries(subjects))('Limits a minute %s', (_, { place, members }) => testRates(place, members))
