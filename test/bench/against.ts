import { execFileSync } from 'node:child_process'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Contender, startFloor, startSamewire, startUpstream } from './contenders.ts'
import { cores, keepTo, whyNotMeasurable } from './machine.ts'
import { printTable } from './report.ts'
import { figuresOf, measure } from './rounds.ts'
import { plain, type Scenario, streams } from './scenarios.ts'
import { quantile, spreadOf } from './statistics.ts'

/**
 * `npm run bench:against -- <commit>`: samewire's CPU as a multiple of what it was at that commit. Both run at the same
 * time, one window after the other, since a machine's speed changes from minute to minute; and they are started anew
 * several times, since one start of the same code differs from the next by some percent. Fails above `--most`.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { most: { type: 'string', default: '1.03' }, starts: { type: 'string', default: '8' } },
})

const rounds = 12
const warmUps = 6
const scenarios: readonly Scenario[] = [
  plain('plain', { bytes: 1_800, connections: 16, ms: 700 }),
  streams('streams', { count: 32, pace: { step: 5, chunks: 150 } }),
]
/** Compiles what runs once per stream. */
const short = streams('short streams', { count: 256, pace: { step: 1, chunks: 4 } })

interface Outcome {
  readonly now: number
  readonly before: number
}

async function main(): Promise<void> {
  const missing = whyNotMeasurable()
  if (missing) throw new Error(`nothing to measure with: ${missing}`)
  const [commit] = positionals
  if (!commit) throw new Error('which commit? npm run bench:against -- <commit>')
  keepTo(cores.load)
  const folder = await checkedOut(commit)
  try {
    const outcomes = new Map(scenarios.map(({ name }) => [name, [] as Outcome[]]))
    for (let start = 0; start < Number(values.starts); start++) {
      for (const [name, outcome] of await measured(folder, start)) outcomes.get(name)?.push(outcome)
    }
    report(outcomes, commit)
  } finally {
    execFileSync('git', ['worktree', 'remove', '--force', folder])
  }
}

/** A folder with the files of a commit and what they need. */
async function checkedOut(commit: string): Promise<string> {
  const folder = join(await mkdtemp(join(tmpdir(), 'samewire-')), 'then')
  execFileSync('git', ['worktree', 'add', '--detach', folder, commit], { stdio: 'ignore' })
  execFileSync('npm', ['ci', '--omit=dev', '--ignore-scripts'], { cwd: folder, stdio: 'ignore' })
  return folder
}

/** Microseconds of CPU per request or chunk in one start of both, by scenario. */
async function measured(folder: string, start: number): Promise<Map<string, Outcome>> {
  const upstream = await startUpstream()
  const url = `http://127.0.0.1:${upstream.port}`
  const begin = {
    now: async () => ({ ...(await startSamewire(url)), name: 'now' }),
    before: async () => ({ ...(await startSamewire(url, { folder })), name: 'before' }),
  }
  const order = start % 2 === 0 ? (['now', 'before'] as const) : (['before', 'now'] as const)
  const contenders: Contender[] = [await startFloor(url)]
  for (const name of order) contenders.push(await begin[name]())
  try {
    await measure(short, contenders, 0, 8)
    const found = new Map<string, Outcome>()
    for (const scenario of scenarios) {
      const readings = await measure(scenario, contenders, rounds, warmUps)
      const typical = (name: string) => lowerQuartile(figuresOf(readings, name, 'cpu'))
      const outcome = { now: typical('now'), before: typical('before') }
      const multiple = (cpu: number) => `${cpu.toFixed(1)} µs (${(cpu / typical('F')).toFixed(2)} F)`
      console.log(`${scenario.name}: ${multiple(outcome.now)}, before ${multiple(outcome.before)}`)
      found.set(scenario.name, outcome)
    }
    return found
  } finally {
    await Promise.all([...contenders, upstream].map((process) => process.stop()))
  }
}

/** Other programs only make a window dearer. */
function lowerQuartile(values: readonly number[]): number {
  return quantile(
    [...values].filter((value) => !Number.isNaN(value)).sort((a, b) => a - b),
    0.25,
  )
}

function report(outcomes: ReadonlyMap<string, readonly Outcome[]>, commit: string): void {
  const rows = [...outcomes].map(([name, starts]) => {
    const { median, lower, upper } = spreadOf(starts.map(({ now, before }) => now / before))
    if (!(median <= Number(values.most))) process.exitCode = 1
    return [name, median.toFixed(3), `${lower.toFixed(3)} to ${upper.toFixed(3)}`]
  })
  printTable([['CPU', `of ${commit}`, 'half of the starts'], ...rows])
}

await main()
