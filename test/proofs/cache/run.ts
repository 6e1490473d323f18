import { parseArgs } from 'node:util'
import { provenRandomly, provenTogether } from './prove.ts'

/**
 * `npm run prove:cache`: sends random requests of three clients, many of them nearly the same, to a model that never
 * answers the same twice and often fails. Exits with 1 if an answer goes to another client than the one it was for, or
 * answers another request, if a failure is kept, or if fifty who ask at once cause more than one call.
 */
const { values } = parseArgs({ options: { requests: { type: 'string' }, seed: { type: 'string' } } })
const requests = Number(values.requests ?? 10_000)
const seed = Number(values.seed ?? 1)

const started = performance.now()
const { calls, results, failures, wrong } = await provenRandomly(requests, seed)
const seconds = ((performance.now() - started) / 1000).toFixed(1)
const told = Object.entries(results).map(([name, count]) => `${count} ${name}`)
console.log(`${requests} requests of 3 clients in ${seconds} s, seed ${seed}: ${told.join(', ')}; ${failures} failures`)
console.log(`${calls} calls; ${wrong.length} wrong answers`)
for (const one of wrong.slice(0, 10)) console.error(one)

let isWrong = wrong.length > 0 || (results.hit ?? 0) === 0
for (const streams of [false, true]) {
  const together = await provenTogether(streams)
  const { calls, answers } = together
  console.log(`50 at once, ${streams ? 'a stream' : 'a whole answer'}: ${calls} call, ${answers} different answer`)
  isWrong ||= calls !== 1 || answers !== 1
}
process.exitCode = isWrong ? 1 : 0
