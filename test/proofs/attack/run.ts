import { parseArgs } from 'node:util'
import { keptState } from '../../support/state.ts'
import { fuzzed } from './fuzz.ts'
import { timed } from './timing.ts'

/**
 * `npm run prove:attack`: measures whether the time in which a wrong key is refused tells anything of the right ones, and
 * sends admin routes 10,000 bodies that nobody would send. Exits with 1 if a time tells, if the measurement does not find
 * a comparison that is known to tell, or if a body breaks anything, or changes something and is refused.
 */
const options = { bodies: { type: 'string' }, measurements: { type: 'string' }, seed: { type: 'string' } } as const
const { values } = parseArgs({ options })
const runs = Number(values.bodies ?? 10_000)
const measurements = Number(values.measurements ?? 40_000)
const seed = Number(values.seed ?? 1)

const results = await timed(measurements)
for (const { what, means, t, isTold } of results) {
  const [near, far] = means.map((ns) => `${ns.toFixed(0)} ns`)
  console.log(
    `${what}: ${near} if the key is nearly right, ${far} if not; t = ${t.toFixed(1)}, ${isTold ? 'told' : 'not told'}`,
  )
}
const control = results.at(-1)
let isWrong = !control?.isTold || results.some((one) => one !== control && one.isTold)

const state = await keptState()
const { counts, faults } = await fuzzed(state, { runs, seed })
await state.close()
const told = Object.entries(counts).map(([status, count]) => `${count} with ${status}`)
console.log(`${runs} bodies, seed ${seed}: answered ${told.join(', ')}; ${faults.length} faults`)
for (const fault of faults.slice(0, 10)) console.error(fault)
isWrong ||= faults.length > 0 || !counts[200] || !counts[201] || !counts[400]
process.exitCode = isWrong ? 1 : 0
