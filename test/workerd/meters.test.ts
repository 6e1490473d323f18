import { describe } from 'vitest'
import { testMeters } from '../state/meters-suite.ts'
import { objectPlace } from './object-meters.ts'

describe.each([1, 4])('Meters in a Durable Object, asked by %d isolates', (members) => testMeters(objectPlace, members))
