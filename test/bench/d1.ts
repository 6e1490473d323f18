import { systemClock } from '../../src/core/clock.ts'
import { openDatabase } from '../../src/node/database.ts'
import { startD1 } from '../support/d1.ts'

/** D1 for a Worker in workerd itself, in its own process. The URL says where it keeps its tables. */
const [url = ''] = process.argv.slice(2)
const { port } = await startD1(await openDatabase(url, { clock: systemClock }))
console.log(JSON.stringify({ port }))
