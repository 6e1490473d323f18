import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  direct,
  startBareWorker,
  startKeptWorker,
  startLimitedWorker,
  startUpstream,
  startWorker,
} from './contenders.ts'
import { cores, keepTo, whyNotMeasurable } from './machine.ts'
import { start } from './processes.ts'
import { printTable, short } from './report.ts'
import { figuresOf, measure, ratioOf } from './rounds.ts'
import { plain } from './scenarios.ts'
import { spreadOf } from './statistics.ts'
import { bundle } from './workerd.ts'

/**
 * `npm run bench:worker-state`: what keys, their limits and budgets cost in workerd, in W (see `npm run bench`). The
 * objects are included, since they run in the same process; D1 isn't: that is one of its own.
 */
const rounds = Number(process.argv[2] ?? 9)
const obstacle = whyNotMeasurable()
if (obstacle) throw new Error(obstacle)
keepTo(cores.load)

const many = 1_000_000_000
const upstream = await startUpstream()
const url = `http://127.0.0.1:${upstream.port}`
const built = await bundle('samewire', 'src/worker.ts')
const folder = await mkdtemp(join(tmpdir(), 'bench-state-'))
let folders = 0
async function diskOf(): Promise<string> {
  const disk = join(folder, String(++folders))
  await mkdir(disk)
  return disk
}
const d1 = await start({
  ...{ name: 'D1', command: [process.execPath, 'test/bench/d1.ts', `file:${join(folder, 'd1.db')}`] },
  ...{ core: cores.load, port: /"port":(\d+)/ },
})
const kept = async (name: string, settings: object) =>
  startKeptWorker(name, url, built, { settings, disk: await diskOf(), database: d1.port })
const limits = { rpm_limit: many, tpm_limit: many }
const contenders = [
  direct(upstream),
  await startBareWorker(url, await bundle('W', 'test/bench/bare-worker.ts')),
  await startWorker(url, built),
  await startLimitedWorker('a configured key with limits a minute', url, built, {
    ...{ limits: { rpm: many, tpm: many }, disk: await diskOf() },
  }),
  await startLimitedWorker('these, and requests at once', url, built, {
    ...{ limits: { rpm: many, tpm: many, parallel: 1_000 }, disk: await diskOf() },
  }),
  await kept('a key of D1, and the row of each request', {}),
  await kept('this with limits a minute', limits),
  await kept('this with a budget', { limit: 1_000_000 }),
  await kept('all of them, and requests at once', { ...limits, limit: 1_000_000, max_parallel_requests: 1_000 }),
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
    const busy = loadavg()[0]?.toFixed(1)
    console.log(`\nPlain chats, c = ${connections}; so many processes wanted to run (the load average): ${busy}`)
    printTable([['', 'CPU µs', 'in W', 'added µs'], ...rows])
  }
} finally {
  await Promise.all(contenders.slice(1).map((contender) => contender.stop()))
  await Promise.all([upstream.stop(), d1.stop()])
  await rm(folder, { recursive: true })
}
