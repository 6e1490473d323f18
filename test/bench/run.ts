import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { cpus, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { quantile } from './load.ts'
import { type Measured, memoryOf, start } from './processes.ts'
import { plain, type Reading, type Scenario, streams } from './scenarios.ts'
import { bundle, startWorkerd } from './workerd.ts'

/**
 * `npm run bench`: what samewire costs, beside the least that any proxy could cost (F on Node, W in workerd). Gateways run on one core, the load and the upstream on another; they take turns, the
 * order reversed every second round; a window with any error is void. Only ratios within one run mean anything.
 */
const { values } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    only: { type: 'string' },
    json: { type: 'string', default: 'node_modules/.cache/bench/result.json' },
  },
})
const rounds = Number(values.rounds ?? (values.short ? 3 : 5))
const window = values.short ? 1_500 : 3_000
const cores = cpus().length > 1 ? { gateway: 0, load: 1 } : { gateway: undefined, load: undefined }

const scenarios: readonly Scenario[] = [
  plain('plain 2 KB, c = 16', 1_800, 16, window),
  plain('plain 2 KB, c = 1', 1_800, 1, window),
  plain('plain 139 KB, c = 8', 139_000, 8, window),
  streams('32 streams at 5 ms', 32),
  streams('32 streams at 5 ms, translated', 32, 'native'),
]

interface Contender extends Measured {
  readonly path: string
  /** Scenarios that it takes part in. */
  readonly joins: (scenario: Scenario) => boolean
}

const node = [process.execPath]

async function startUpstream(name: string, pace: number, chunks: number): Promise<Measured> {
  const command = [...node, 'test/bench/mock.ts', '0', String(pace), String(chunks)]
  return await start({ name, command, core: cores.load, port: /"port":(\d+)/ })
}

function samewireConfig(upstream: string): string {
  return JSON.stringify({
    providers: {
      lab: { type: 'openai-compatible', baseURL: `${upstream}/v1` },
      local: { type: 'ollama', baseURL: upstream },
    },
    models: {
      bench: { deployments: ['lab/bench'], fallbacks: ['spare'], retries: 2 },
      native: 'local/bench',
      spare: 'lab/spare',
    },
    fallback: 'spare',
    keys: ['env:SAMEWIRE_KEY'],
  })
}

async function startContenders(upstream: string): Promise<Contender[]> {
  const key = { SAMEWIRE_KEY: 'sk-samewire-bench-key' }
  const path = '/v1/chat/completions'
  const config = samewireConfig(upstream)
  await mkdir('node_modules/.cache/bench', { recursive: true })
  await writeFile('node_modules/.cache/bench/config.json', config)
  const core = cores.gateway
  const floor = await start({
    name: 'F',
    command: [...node, 'test/bench/floor.ts', '0', upstream],
    core,
    port: /"port":(\d+)/,
  })
  const command = [...node, 'src/node.ts', '--port', '0', '--config', 'node_modules/.cache/bench/config.json']
  const ours = await start({ name: 'samewire', command, core, env: key, port: /127\.0\.0\.1:(\d+)/ })
  const bare = await startWorkerd('W', await bundle('bare', 'test/bench/bare-worker.ts'), { UPSTREAM: upstream }, core)
  const worker = await bundle('samewire', 'src/worker.ts')
  console.log(`worker: ${(worker.gzip / 1024).toFixed(1)} KB gzip, minified`)
  const edge = await startWorkerd('samewire in workerd', worker, { ...key, SAMEWIRE_CONFIG: config }, core)
  const untranslated = (scenario: Scenario) => !scenario.name.includes('translated')
  const everything = () => true
  return [
    // The floor takes Ollama's lines as they are: what the translation adds is seen against that.
    { ...floor, path, joins: untranslated },
    { ...ours, path, joins: everything },
    { ...bare, path, joins: untranslated },
    { ...edge, path, joins: everything },
  ]
}

const median = (all: readonly number[]) =>
  quantile(
    [...all].sort((a, b) => a - b),
    0.5,
  )

async function main(): Promise<void> {
  if (!existsSync('/proc/self/stat')) throw new Error('the benchmark reads CPU time from /proc, which is not here')
  const quick = await startUpstream('quick upstream', 0, 1)
  const paced = await startUpstream('paced upstream', 5, 200)
  const results: Record<string, Record<string, Reading[]>> = {}
  try {
    for (const upstream of [quick, paced]) {
      const kind = upstream === quick ? 'quick' : 'paced'
      const chosen = scenarios.filter((s) => s.upstream === kind && (!values.only || s.name.includes(values.only)))
      if (chosen.length === 0) continue
      const contenders = await startContenders(`http://127.0.0.1:${upstream.port}`)
      try {
        for (const scenario of chosen) results[scenario.name] = await measure(scenario, contenders)
      } finally {
        for (const { name, pid } of contenders) console.log(`${name}: peak memory ${memoryOf(pid).peak.toFixed(0)} MB`)
        await Promise.all(contenders.map((contender) => contender.stop()))
      }
    }
  } finally {
    await Promise.all([quick.stop(), paced.stop()])
  }
  await writeFile(
    values.json,
    JSON.stringify({ date: new Date().toISOString(), node: process.version, results }, null, 1),
  )
  console.log(`written to ${values.json}`)
}

async function measure(scenario: Scenario, contenders: readonly Contender[]): Promise<Record<string, Reading[]>> {
  const taking = contenders.filter(({ joins }) => joins(scenario))
  const readings: Record<string, Reading[]> = Object.fromEntries(taking.map(({ name }) => [name, []]))
  for (const contender of taking) await scenario.run(contender, contender.path)
  for (let round = 0; round < rounds; round++) {
    for (const contender of round % 2 === 0 ? taking : [...taking].reverse()) {
      try {
        readings[contender.name]?.push(await scenario.run(contender, contender.path))
      } catch (error) {
        console.log(`void: ${contender.name}, ${error instanceof Error ? error.message : error}`)
      }
    }
  }
  print(scenario, readings)
  return readings
}

function print(scenario: Scenario, readings: Record<string, Reading[]>): void {
  console.log(`\n${scenario.name}   (load ${loadavg()[0]?.toFixed(1)})`)
  const floors: Record<string, string> = { samewire: 'F', 'samewire in workerd': 'W' }
  for (const [name, all] of Object.entries(readings)) {
    const figures = Object.keys(all[0] ?? {}).map((figure) => {
      const ours = all.map((reading) => reading[figure] ?? Number.NaN)
      const theirs = readings[floors[name] ?? '']?.map((reading) => reading[figure] ?? Number.NaN) ?? []
      const ratios = ours.map((value, round) => value / (theirs[round] ?? Number.NaN)).sort((a, b) => a - b)
      const spread = `${quantile(ratios, 0.25).toFixed(2)}–${quantile(ratios, 0.75).toFixed(2)}`
      const ratio = theirs.length > 0 ? ` = ${median(ratios).toFixed(2)} ${floors[name]} (${spread})` : ''
      return `${figure} ${median(ours).toFixed(1)}${ratio}`
    })
    console.log(`  ${name.padEnd(20)} ${figures.join('   ')}`)
  }
  const calm = Object.values(readings).every((all) => {
    const values = all.map(({ cpu = 0 }) => cpu).sort((a, b) => a - b)
    return quantile(values, 0.75) / quantile(values, 0.25) < 1.25
  })
  if (!calm) console.log('  the machine was too noisy for these to count')
}

await main()
