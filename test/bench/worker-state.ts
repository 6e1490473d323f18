import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { direct, startBareWorker, startLimitedWorker, startUpstream, startWorker } from './contenders.ts'
import { cores, keepTo, whyNotMeasurable } from './machine.ts'
import { printTable, short } from './report.ts'
import { figuresOf, measure, ratioOf } from './rounds.ts'
import { plain } from './scenarios.ts'
import { spreadOf } from './statistics.ts'
import { bundle } from './workerd.ts'

/**
 * `npm run bench:worker-state`: what a key's limits cost in workerd, in W (see `npm run bench`), the objects that keep them
 * included: they run in the same process. D1 isn't there, so neither keys nor rows are.
 */
const rounds = Number(process.argv[2] ?? 9)
const obstacle = whyNotMeasurable()
if (obstacle) throw new Error(obstacle)
keepTo(cores.load)

const many = 1_000_000_000
const upstream = await startUpstream()
const url = `http://127.0.0.1:${upstream.port}`
const built = await bundle('samewire', 'src/worker.ts')
const disk = await Promise.all(['rates', 'leases'].map((name) => mkdtemp(join(tmpdir(), `bench-${name}-`))))
const contenders = [
  direct(upstream),
  await startBareWorker(url, await bundle('W', 'test/bench/bare-worker.ts')),
  await startWorker(url, built),
  await startLimitedWorker('with limits a minute', url, built, {
    limits: { rpm: many, tpm: many },
    disk: disk[0] as string,
  }),
  await startLimitedWorker('with these, and requests at once in storage', url, built, {
    limits: { rpm: many, tpm: many, parallel: 1_000 },
    disk: disk[1] as string,
  }),
]
try {
  for (const connections of [1, 16]) {
    const scenario = plain('plain', { bytes: 1_800, connections, ms: 700 })
    const readings = await measure(scenario, contenders, rounds)
    const rows = contenders.slice(1).map(({ name }) => {
      const { median, lower, upper } = ratioOf(readings, name, 'W', 'cpu')
      const [cpu, added] = ['cpu', 'added'].map((figure) => short(spreadOf(figuresOf(readings, name, figure)).median))
      return [name, `${cpu}`, `${short(median)} (${short(lower)}–${short(upper)})`, `${added}`]
    })
    console.log(`\nPlain chats, c = ${connections}`)
    printTable([['', 'CPU µs', 'in W', 'added µs'], ...rows])
  }
} finally {
  await Promise.all(contenders.slice(1).map((contender) => contender.stop()))
  await upstream.stop()
  await Promise.all(disk.map((folder) => rm(folder, { recursive: true })))
}
