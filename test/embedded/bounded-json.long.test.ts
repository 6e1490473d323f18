import { describe } from 'vitest'
import { samplings, testLimits } from './bounded-json.ts'

describe('JSON is whole within its limit, however it is sampled', () => testLimits(() => samplings))
