import { mkdir, writeFile } from 'node:fs/promises'
import { cpus, loadavg } from 'node:os'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import type { BuiltWorker } from '../../scripts/worker.ts'
import { coldStarts, startUpCpu } from './cold-start.ts'
import {
  type Contender,
  direct,
  ours,
  startBareWorker,
  startFloor,
  startPortkey,
  startSamewire,
  startSplice,
  startUpstream,
  startWorker,
} from './contenders.ts'
import { cores, keepTo, whyNotMeasurable } from './machine.ts'
import { installPortkey } from './portkey.ts'
import { memoryOf } from './processes.ts'
import { printReadings } from './report.ts'
import { measure, type Readings } from './rounds.ts'
import { firstToken, held, plain, type Scenario, streams } from './scenarios.ts'
import { names, printTargets } from './targets.ts'
import { versions } from './versions.ts'
import { bundle } from './workerd.ts'

/**
 * `npm run bench`: what samewire costs, compared to the minimum for any proxy (F on Node, W in workerd, S for large
 * requests), to asking directly (D), and with `--portkey` to P. Gateways run on one core, the load and the upstream on
 * another; they take turns. Only ratios within one run are meaningful.
 */
const { values } = parseArgs({
  options: {
    portkey: { type: 'boolean', default: false },
    short: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    only: { type: 'string' },
    json: { type: 'string', default: 'node_modules/.cache/bench/result.json' },
  },
})
const rounds = Number(values.rounds ?? (values.short ? 3 : 5))
/** Number of cold starts of each. */
const times = 11
const ms = values.short ? 1_500 : 3_000
const often = { step: 5, chunks: values.short ? 200 : 400 }
const seldom = { step: 20, chunks: values.short ? 100 : 200 }

const scenarios: readonly Scenario[] = [
  plain(names.plain, { bytes: 1_800, connections: 16, ms }),
  plain(names.alone, { bytes: 1_800, connections: 1, ms }),
  plain(names.large, { bytes: 139_000, connections: 8, ms, kind: 'large' }),
  streams(names.untouched, { count: 32, pace: often, model: 'untouched' }),
  streams(names.observed, { count: 32, pace: often, model: 'observed' }),
  streams(names.checked, { count: 32, pace: often }),
  streams(names.translated, { count: 32, pace: often, model: 'native', kind: 'translated' }),
  streams(names.responses, { count: 32, pace: often, kind: 'responses' }),
  held(names.held, 512, seldom),
  firstToken(names.first, ms),
]

const chosen = (name: string) => !values.only || name.includes(values.only)

async function main(): Promise<void> {
  const missing = whyNotMeasurable()
  if (missing) throw new Error(`nothing to measure with: ${missing}`)
  if (values.portkey) await installPortkey()
  keepTo(cores.load)
  const bundles = {
    bare: await bundle('bare', 'test/bench/bare-worker.ts'),
    worker: await bundle('samewire', 'src/worker.ts'),
  }
  const results: Record<string, Readings> = {
    [names.script]: { [ours.worker]: [{ size: bundles.worker.atStart / 1024 }] },
    [names.bundle]: { [ours.worker]: [{ size: bundles.worker.gzip / 1024 }] },
  }
  const upstream = await startUpstream()
  const url = `http://127.0.0.1:${upstream.port}`
  try {
    for (const [name, starts] of Object.entries({
      [names.cold]: () => coldStarts(url, times, values.portkey),
      [names.coldWorker]: () => startUpCpu(url, bundles.worker, times),
    })) {
      if (!chosen(name)) continue
      const readings = await starts()
      results[name] = readings
      printReadings(name, readings)
    }
    const contenders = [direct(upstream), ...(await startGateways(url, bundles))]
    try {
      const taken = scenarios.filter(({ name }) => chosen(name))
      for (const scenario of taken) {
        const readings = await measure(scenario, contenders, rounds)
        results[scenario.name] = readings
        printReadings(`${scenario.name}   (load average ${loadavg()[0]?.toFixed(1)})`, readings)
      }
      if (taken.length > 0) {
        const peaks = peaksOf(contenders)
        results[names.memory] = peaks
        printReadings(names.memory, peaks)
      }
    } finally {
      await Promise.all(contenders.map((contender) => contender.stop()))
    }
  } finally {
    await upstream.stop()
  }
  printTargets(results)
  await write(results)
}

async function startGateways(url: string, bundles: { bare: BuiltWorker; worker: BuiltWorker }): Promise<Contender[]> {
  return [
    await startFloor(url),
    await startSplice(url),
    await startSamewire(url),
    ...(values.portkey ? [await startPortkey(url)] : []),
    await startBareWorker(url, bundles.bare),
    await startWorker(url, bundles.worker),
  ]
}

/** The peak memory of each gateway, in MB. Without S, which gets large requests only. */
function peaksOf(contenders: readonly Contender[]): Readings {
  const gateways = contenders.filter(({ direct, kinds }) => !direct && kinds.length > 1)
  return Object.fromEntries(gateways.map(({ name, pid }) => [name, [{ peak: memoryOf(pid).peak }]]))
}

async function write(results: Readonly<Record<string, Readings>>): Promise<void> {
  await mkdir(dirname(values.json), { recursive: true })
  const made = { date: new Date().toISOString(), versions: await versions(), processor: cpus()[0]?.model, rounds }
  const text = JSON.stringify({ ...made, results }, null, 1)
  await writeFile(values.json, `${text}\n`)
  console.log(`\nwritten to ${values.json}`)
}

await main()
