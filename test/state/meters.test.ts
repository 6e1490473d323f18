import { describe } from 'vitest'
import { type MeterPlace, memoryPlace, postgresPlace, sqlitePlace } from '../support/meters.ts'
import { postgresForTests } from '../support/postgres-for-tests.ts'
import { testMeters } from './meters-suite.ts'

interface Subject {
  readonly place: () => Promise<MeterPlace>
  /** How many processes share the meters. */
  readonly members: number
}

const postgres = await postgresForTests()
const subjects: Readonly<Record<string, Subject>> = {
  'in memory': { place: memoryPlace, members: 1 },
  'in SQLite': { place: sqlitePlace, members: 1 },
  'in SQLite, of four processes': { place: sqlitePlace, members: 4 },
  ...(postgres && { 'in PostgreSQL, of three processes': { place: () => postgresPlace(postgres), members: 3 } }),
}

describe.each(Object.entries(subjects))('Meters %s', (_, { place, members }) => testMeters(place, members))
