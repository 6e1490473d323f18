import { loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { type Contender, startSamewire, startUpstream } from './contenders.ts'
import { cores, keepTo, whyNotMeasurable } from './machine.ts'
import { startCollector } from './observers.ts'
import type { Measured } from './processes.ts'
import { printTable } from './report.ts'
import { figuresOf, measure, type Readings } from './rounds.ts'
import { plain, type Scenario, streams } from './scenarios.ts'
import { median, spreadOf } from './statistics.ts'

/**
 * `npm run bench:all-on`: CPU of a request and of a stream with a log, metrics and traces, each alone and all at once, beside
 * the same without any of them. All run at the same time, one window after the other, and are started anew several times.
 * The log goes to a pipe, the traces to a collector in a process of its own. Fails where all cost more than `--most`.
 */
const { values } = parseArgs({
  options: {
    most: { type: 'string', default: '1.10' },
    starts: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '20' },
    only: { type: 'string' },
    scenario: { type: 'string' },
    ms: { type: 'string', default: '300' },
    'warm-ups': { type: 'string', default: '10' },
    profile: { type: 'string' },
  },
})

const admin = 'sk-samewire-bench-admin'
// Slow enough not to have two chunks in one read on a busy machine, which would cost less.
const pace = { step: 20, chunks: 10 }
const scenarios: readonly Scenario[] = [
  plain('plain request, 2 KB, c = 16', { bytes: 1_800, connections: 16, ms: Number(values.ms) }),
  streams(`stream of ${pace.chunks} chunks, 25 at once`, { count: 128, pace, late: true }),
]
/** What a figure is of: the bench counts chunks. */
const per: Readonly<Record<string, number>> = { [scenarios[1]?.name ?? '']: pace.chunks }

const log = { LOG_FORMAT: 'json', LOG_LEVEL: 'info' }
const metrics = { SAMEWIRE_METRICS: 'true' }
const off = { LOG_LEVEL: 'silent', SAMEWIRE_ADMIN_KEY: admin }
const allOn = 'all on'
/** Windows that do not count: what is observed has more code to compile. */
const warmUps = Number(values['warm-ups'])

function variantsFor(collector: Measured): Readonly<Record<string, Readonly<Record<string, string>>>> {
  const traces = (name: string) => ({
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collector.port}/${name}`,
    // Whatever the collector's share of its core: a span that is lost costs less.
    OTEL_BSP_MAX_QUEUE_SIZE: '100000',
  })
  return {
    off,
    // Told of each request, and does nothing.
    told: { ...off, LOG_LEVEL: 'error' },
    log: { ...off, ...log },
    metrics: { ...off, ...metrics },
    traces: { ...off, ...traces('traces') },
    [allOn]: { ...off, ...log, ...metrics, ...traces('all') },
  }
}

async function main(): Promise<void> {
  const missing = whyNotMeasurable()
  if (missing) throw new Error(`nothing to measure with: ${missing}`)
  keepTo(cores.load)
  const found = new Map<string, Readings[]>()
  for (let turn = 0; turn < Number(values.starts); turn++) {
    for (const [name, readings] of await measured(turn)) found.set(name, [...(found.get(name) ?? []), readings])
  }
  for (const [name, starts] of found) report(name, starts)
}

/** One start of each. */
async function measured(turn: number): Promise<Map<string, Readings>> {
  const upstream = await startUpstream()
  const collector = await startCollector(cores.load)
  const variants = Object.entries(variantsFor(collector)).filter(
    ([name]) => !values.only || ['off', ...values.only.split(',')].includes(name),
  )
  const contenders: Contender[] = []
  try {
    for (const [name, env] of turn % 2 === 0 ? variants : variants.reverse()) {
      const flags = values.profile === name ? ['--cpu-prof', '--cpu-prof-dir=node_modules/.cache/bench'] : []
      contenders.push({ ...(await startSamewire(`http://127.0.0.1:${upstream.port}`, { env, flags })), name })
    }
    const all = new Map<string, Readings>()
    for (const scenario of scenarios.filter(({ kind }) => !values.scenario || kind === values.scenario)) {
      const readings = await measure(scenario, contenders, Number(values.rounds), warmUps)
      all.set(scenario.name, readings)
      const ratio = typical(readings, allOn) / typical(readings, 'off')
      console.log(`start ${turn + 1}, ${scenario.name}: ${ratio.toFixed(3)} (load ${loadavg()[0]?.toFixed(1)})`)
    }
    for (const contender of contenders.filter(({ name }) => name === allOn)) await tellExport(contender, collector)
    return all
  } finally {
    await Promise.all([...contenders, upstream, collector].map((process) => process.stop()))
  }
}

/** Whether all spans arrived: what is lost costs nothing. */
async function tellExport(gateway: Contender, collector: Measured): Promise<void> {
  const scrape = await fetch(`http://127.0.0.1:${gateway.port}/metrics`, {
    headers: { authorization: `Bearer ${admin}` },
  })
  const lines = (await scrape.text()).matchAll(/^samewire_requests_total\{.*\} (\d+)$/gm)
  const requests = [...lines].reduce((sum, [, count]) => sum + Number(count), 0)
  // It sends what is left.
  await gateway.stop()
  const counts = await fetch(`http://127.0.0.1:${collector.port}/all`).then((response) => response.json())
  const { spans, requests: exports, bytes } = counts as { spans: number; requests: number; bytes: number }
  console.log(`${requests} requests, ${spans} spans (${(bytes / spans).toFixed(0)} bytes each) in ${exports} exports`)
  if (spans !== requests * 3)
    throw new Error(`${requests * 3 - spans} spans were lost, so that the figures do not count`)
}

/** Microseconds of CPU per request or chunk: other programs only make a window dearer. */
function typical(readings: Readings, name: string): number {
  return spreadOf(figuresOf(readings, name, 'cpu')).lower
}

function report(scenario: string, starts: readonly Readings[]): void {
  const times = per[scenario] ?? 1
  const names = Object.keys(starts[0] ?? {})
  const rows = names.map((name) => {
    const cpu = starts.map((readings) => typical(readings, name) * times)
    const added = starts.map((readings) => (typical(readings, name) - typical(readings, 'off')) * times)
    const ratio = spreadOf(starts.map((readings) => typical(readings, name) / typical(readings, 'off')))
    if (name === allOn && !(ratio.median <= Number(values.most))) process.exitCode = 1
    return [
      name,
      median(cpu).toFixed(1),
      median(added).toFixed(1),
      ratio.median.toFixed(3),
      `${ratio.lower.toFixed(3)} to ${ratio.upper.toFixed(3)}`,
    ]
  })
  console.log(`\n${scenario}`)
  printTable([['', 'CPU µs', 'added µs', 'of off', 'half of the starts'], ...rows])
}

await main()
