import { readFile, writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { type Contender, ours, startFloor, startSamewire, startUpstream } from './contenders.ts'
import { cores, keepTo, whyNotMeasurable } from './machine.ts'
import { printTable } from './report.ts'
import { figuresOf, measure, type Readings, ratioOf } from './rounds.ts'
import { plain, type Scenario, streams } from './scenarios.ts'
import { versions } from './versions.ts'
import { bundle } from './workerd.ts'

/**
 * `npm run bench:guard`: fails if samewire's CPU, as a multiple of F's, or the Worker's size exceeds the committed
 * value by more than `tolerance`. Other programs disturb even the multiples, and a process may cost a third more than
 * another of the same for as long as it runs: a worse figure is measured again with new ones, and fails only if it is
 * worse each time. `--update` commits the measured figures.
 */
const { values } = parseArgs({ options: { update: { type: 'boolean', default: false } } })

/** How much worse than the committed figure a figure may be, as a fraction. */
const tolerance = 0.15
/** Maximum size of the Worker's script at start in bytes, minified and compressed. */
const ceiling = 100 * 1024
const tries = 5
/** More than elsewhere, because the windows are short. */
const warmUps = 6
const rounds = 9

const scenarios: Readonly<Record<string, Scenario>> = {
  plain: plain('plain', { bytes: 1_800, connections: 16, ms: 700 }),
  streams: streams('streams', { count: 32, pace: { step: 5, chunks: 150 } }),
}

/** Thousands of short streams first: what runs once or twice per stream is not compiled by the few of the windows. */
const short = streams('short streams', { count: 256, pace: { step: 1, chunks: 4 } })

interface Baseline {
  readonly date: string
  /** The versions that the figures were measured with. */
  readonly versions: Readonly<Record<string, string>>
  /** CPU of samewire divided by that of F, by scenario. */
  readonly ratios: Readonly<Record<string, number>>
  /** Size of the Worker's script at start in bytes, minified and compressed. */
  readonly atStart: number
}

/** Undefined if the machine was too noisy to tell. */
type Ratio = number | undefined

const file = 'test/bench/baseline.json'

async function main(): Promise<void> {
  const { atStart } = await bundle('samewire', 'src/worker.ts')
  const missing = whyNotMeasurable()
  if (values.update) {
    if (missing) throw new Error(`nothing to measure with: ${missing}`)
    return await update(atStart)
  }
  const baseline = JSON.parse(await readFile(file, 'utf8')) as Baseline
  const problems = sizeProblems(atStart, baseline.atStart)
  if (missing) console.log(`bench:guard: CPU is not measured, since ${missing}`)
  else problems.push(...(await cpuProblems(baseline)))
  for (const problem of problems) console.log(`bench:guard: ${problem}`)
  if (problems.length > 0) process.exitCode = 1
}

function sizeProblems(atStart: number, before: number): string[] {
  const text = `the Worker's script at start is ${kilobytes(atStart)}, committed are ${kilobytes(before)}`
  console.log(`bench:guard: ${text}`)
  if (atStart > ceiling) return [`FAILED: ${text}; ${kilobytes(ceiling)} is the most that it may be`]
  return atStart > before * (1 + tolerance) ? [`FAILED: ${text}`] : []
}

async function cpuProblems(baseline: Baseline): Promise<string[]> {
  const problems: string[] = []
  const rows: string[][] = []
  for (const [name, scenario] of Object.entries(scenarios)) {
    const before = baseline.ratios[name] ?? Number.NaN
    const limit = before * (1 + tolerance)
    const measured = await measureUntil((ratio) => ratio <= limit, scenario)
    const best = measured === undefined ? undefined : Math.min(...measured)
    const told = measured?.map((ratio) => ratio.toFixed(2)).join(', then ') ?? 'not measured'
    rows.push([name, told, before.toFixed(2), limit.toFixed(2)])
    if (best !== undefined && !(best <= limit)) problems.push(`FAILED: ${name} costs ${told} F in ${tries} tries`)
  }
  printTable([['CPU', 'in F', 'committed', 'limit'], ...rows])
  return problems
}

/** The ratio of each try, up to the first good one; undefined if the machine was too noisy even for F. */
async function measureUntil(good: (ratio: number) => boolean, scenario: Scenario): Promise<number[] | undefined> {
  const measured: number[] = []
  for (let attempt = 1; attempt <= tries; attempt++) {
    const readings = await withContenders((contenders) => measure(scenario, contenders, rounds, warmUps))
    const ratio = ratioIn(readings)
    if (ratio === undefined) continue
    measured.push(ratio)
    if (good(ratio)) break
    const next = attempt < tries ? 'measured again' : 'that was the last try'
    console.log(`bench:guard: ${scenario.name} costs ${ratio.toFixed(2)} F, which is too much: ${next}`)
  }
  if (measured.length > 0) return measured
  console.log(`bench:guard: no window of ${scenario.name} was valid, not even for F: the machine is too noisy`)
  return undefined
}

/** Infinity if F could be measured and samewire could not: then it is not the machine's fault. */
function ratioIn(readings: Readings): Ratio {
  if (figuresOf(readings, 'F', 'cpu').every(Number.isNaN)) return undefined
  const { median } = ratioOf(readings, ours.node, 'F', 'cpu')
  return Number.isNaN(median) ? Number.POSITIVE_INFINITY : median
}

async function update(atStart: number): Promise<void> {
  const ratios: Record<string, number> = {}
  await withContenders(async (contenders) => {
    for (const [name, scenario] of Object.entries(scenarios)) {
      const ratio = ratioIn(await measure(scenario, contenders, tries * rounds, warmUps))
      if (ratio === undefined || !Number.isFinite(ratio)) throw new Error(`no window of ${name} was valid`)
      ratios[name] = Number(ratio.toFixed(3))
    }
  })
  const date = new Date().toISOString().slice(0, 10)
  const baseline: Baseline = { date, versions: await versions(), ratios, atStart }
  await writeFile(file, `${JSON.stringify(baseline, null, 2)}\n`)
  console.log(`bench:guard: written to ${file}: ${JSON.stringify(ratios)}, ${kilobytes(atStart)}`)
}

async function withContenders<T>(use: (contenders: readonly Contender[]) => Promise<T>): Promise<T> {
  keepTo(cores.load)
  const upstream = await startUpstream()
  const url = `http://127.0.0.1:${upstream.port}`
  const contenders = [await startFloor(url), await startSamewire(url)]
  try {
    await measure(short, contenders, 0, 12)
    return await use(contenders)
  } finally {
    await Promise.all([...contenders, upstream].map((process) => process.stop()))
  }
}

const kilobytes = (bytes: number) => `${(bytes / 1024).toFixed(1)} KB`

await main()
