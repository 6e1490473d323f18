import { loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { type Contender, type StartSamewire, startSamewire, startUpstream } from './contenders.ts'
import { cores, keepTo, whyNotMeasurable } from './machine.ts'
import { printTable } from './report.ts'
import { figuresOf, measure, type Readings } from './rounds.ts'
import { plain, type Scenario, streams } from './scenarios.ts'
import { quantile, spreadOf } from './statistics.ts'

/** How a gateway is started, by the name of what it has. `off` is what the others are compared with. */
export type Variants = Readonly<Record<string, StartSamewire>> & { readonly [without]: StartSamewire }

const without = 'off'

export interface Comparison {
  /** The name of the variant that may not cost more than the bound. */
  readonly bounded: string
  /** Its CPU as a multiple of what it is without, at most. */
  readonly most: string
  /** Makes what the gateways of one start need beside an upstream. */
  variants(): Promise<{ readonly variants: Variants; stop(gateways: ReadonlyMap<string, Contender>): Promise<void> }>
}

// Slow enough not to have two chunks in one read on a busy machine, which would cost less.
const pace = { step: 20, chunks: 10 }

/**
 * Compares the CPU of a request and of a stream by gateways that differ in what they have on. All run at the same time,
 * one window after the other, and are started anew several times: of two starts of the same, one may cost a third more
 * than the other for as long as it runs, so that a ratio within one start says little. Fails where the bounded one costs
 * too much in the median of all starts.
 */
export async function compare({ bounded, most: bound, variants }: Comparison): Promise<void> {
  const { values } = parseArgs({
    options: {
      most: { type: 'string', default: bound },
      starts: { type: 'string', default: '4' },
      rounds: { type: 'string', default: '30' },
      // What is on has more code, and V8 takes a hundred thousand requests to have all of it compiled.
      'warm-ups': { type: 'string', default: '100' },
      ms: { type: 'string', default: '300' },
      only: { type: 'string' },
      scenario: { type: 'string' },
      profile: { type: 'string' },
    },
  })
  const missing = whyNotMeasurable()
  if (missing) throw new Error(`nothing to measure with: ${missing}`)
  keepTo(cores.load)

  const scenarios: readonly Scenario[] = [
    plain('plain request, 2 KB, c = 16', { bytes: 1_800, connections: 16, ms: Number(values.ms) }),
    streams(`stream of ${pace.chunks} chunks, 25 at once`, { count: 128, pace, late: true }),
  ].filter(({ kind }) => !values.scenario || kind === values.scenario)
  const found = new Map<Scenario, Readings[]>(scenarios.map((scenario) => [scenario, []]))
  for (let turn = 0; turn < Number(values.starts); turn++) await start(turn)
  for (const [scenario, starts] of found) report(scenario, starts)

  async function start(turn: number): Promise<void> {
    const upstream = await startUpstream()
    const made = await variants()
    const names = Object.keys(made.variants)
    const wanted = names.filter((name) => name === without || !values.only || values.only.split(',').includes(name))
    const gateways = new Map<string, Contender>()
    try {
      for (const name of turn % 2 === 0 ? wanted : wanted.toReversed()) {
        const flags = values.profile === name ? ['--cpu-prof', '--cpu-prof-dir=node_modules/.cache/bench'] : []
        const started = await startSamewire(`http://127.0.0.1:${upstream.port}`, { flags, ...made.variants[name] })
        gateways.set(name, { ...started, name })
      }
      for (const [scenario, starts] of found) {
        // A window of streams takes longer, and is the same code.
        const warmUps = Math.ceil(Number(values['warm-ups']) / (scenario.kind === 'stream' ? 8 : 1))
        const rounds = Math.ceil(Number(values.rounds) / (scenario.kind === 'stream' ? 2 : 1))
        const readings = await measure(scenario, [...gateways.values()], rounds, warmUps)
        starts.push(readings)
        const ratio = typical(readings, bounded) / typical(readings, without)
        console.log(`start ${turn + 1}, ${scenario.name}: ${ratio.toFixed(3)} (load ${loadavg()[0]?.toFixed(1)})`)
      }
    } finally {
      await made.stop(gateways)
      await Promise.all([...gateways.values(), upstream].map((process) => process.stop()))
    }
  }

  function report(scenario: Scenario, starts: readonly Readings[]): void {
    // The bench counts chunks.
    const times = scenario.kind === 'stream' ? pace.chunks : 1
    const names = Object.keys(starts[0] ?? {})
    const cpuOf = (name: string) => spreadOf(starts.map((readings) => typical(readings, name) * times))
    const off = cpuOf(without)
    const rows = names.map((name) => {
      const cpu = cpuOf(name)
      const ratio = cpu.median / off.median
      if (name === bounded && !(ratio <= Number(values.most))) process.exitCode = 1
      return [
        name,
        cpu.median.toFixed(1),
        `${cpu.lower.toFixed(1)} to ${cpu.upper.toFixed(1)}`,
        (cpu.median - off.median).toFixed(1),
        ratio.toFixed(3),
      ]
    })
    console.log(`\n${scenario.name}`)
    printTable([['', 'CPU µs', 'half of the starts', 'added µs', `of ${without}`], ...rows])
  }
}

/** Microseconds of CPU per request or chunk, as in the quietest tenth of the windows: other programs only make one dearer. */
function typical(readings: Readings, name: string): number {
  const figures = figuresOf(readings, name, 'cpu').filter((figure) => !Number.isNaN(figure))
  return quantile(
    figures.sort((a, b) => a - b),
    0.1,
  )
}
