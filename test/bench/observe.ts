import { registry } from '../../providers/index.ts'
import { buildCatalog } from '../../src/config/catalog.ts'
import { systemClock } from '../../src/core/clock.ts'
import type { RequestReport } from '../../src/core/report.ts'
import { createMetrics } from '../../src/observe/metrics/metrics.ts'
import { GatewayError } from '../../src/wire/errors.ts'
import { costOf as cpuOf, startCollector, subjects } from './observers.ts'

/**
 * `npm run bench:observe`: measures what it takes to count a request, in microseconds, and to word a scrape, in
 * milliseconds; then, side by side, the CPU that a request's line of the log, its counts and its spans take with all that
 * is done to write or send them. Exits with 1 if counting a request that was answered takes longer than the bound.
 */
const bound = 0.4
// Short ones: other programs disturb some of them only.
const rounds = 1_000
const requests = 1_000

const models = Array.from({ length: 50 }, (_, n) => `model-${n}`)
const catalog = buildCatalog(
  {
    providers: { lab: { type: 'openai-compatible', baseURL: 'http://lab.test' } },
    models: Object.fromEntries(models.map((name) => [name, { deployments: [`lab/${name}`] }])),
  },
  registry,
  {},
)

const about = { requestId: 'req_1', method: 'POST', path: '/chat/completions', started: 0 }
const arrival = { ...about, header: () => undefined, trace: { attempts: [] } }
const tokens = { input: 812, output: 96, cached: 0, reasoning: 0 }

/** As the gateway makes them: with a name read from the request. */
function reportOf(name: string, streams: boolean): RequestReport {
  const [deployment] = catalog.models.get(name)?.deployments ?? []
  if (!deployment) throw new Error(`no such model: ${name}`)
  const attempts = [{ deployment: deployment.label, why: 'requested' as const, at: 0, ms: 310 }]
  return {
    ...{ requestId: 'req_1', method: 'POST', path: '/chat/completions', operation: 'chat', key: 'TEAM_KEY', user: 'u' },
    ...{ status: 200, streams, outcome: 'done', failure: undefined, trace: { attempts }, served: deployment },
    ...{
      started: 0,
      firstMs: 310.2,
      ms: 1204,
      tokens,
      cost: 3_000_000,
      bytesIn: 1_800,
      asked: undefined,
      model: Buffer.from(name).toString(),
    },
  }
}

function failed(report: RequestReport): RequestReport {
  const failure = new GatewayError('upstream', 'failed')
  const attempts = report.trace.attempts.map((attempt) => ({ ...attempt, failure: failure.kind }))
  const trace = { attempts: [...attempts, ...attempts] }
  return { ...report, status: 502, outcome: 'failed', failure, trace, served: undefined, tokens: undefined }
}

async function watched(names: 'gen_ai' | 'litellm') {
  const metrics = createMetrics({ clock: systemClock, latest: false })
  const health = { labels: () => [], find: () => undefined }
  const hash = Promise.resolve('0123456789ab')
  const watch = metrics.watch({ catalog, known: new Map(), health, scraped: names, hash, keys: [] })
  if (!watch?.scrape) throw new Error('nothing is counted')
  return { metrics, observer: watch.observer, scrape: watch.scrape }
}

/** Microseconds for one of `reports`: the least of all rounds, since other programs only add. */
async function costOf(names: 'gen_ai' | 'litellm', reports: readonly RequestReport[]): Promise<number> {
  const { observer } = await watched(names)
  let least = Number.POSITIVE_INFINITY
  for (let round = 0; round < rounds; round++) {
    const start = performance.now()
    for (let n = 0; n < requests; n++) {
      observer.began?.(arrival)
      observer.over(reports[n % reports.length] as RequestReport)
    }
    least = Math.min(least, ((performance.now() - start) * 1000) / requests)
  }
  return least
}

/** Milliseconds to word as many series as there may be. */
async function costOfScrape(): Promise<{ readonly ms: number; readonly series: number; readonly bytes: number }> {
  const { metrics, observer, scrape } = await watched('gen_ai')
  for (const name of models) {
    for (const streams of [false, true]) {
      // Statuses stand for whatever has many values.
      for (let status = 200; status < 260; status++) observer.over({ ...reportOf(name, streams), status })
      for (const path of ['a', 'b', 'c', 'd']) observer.over({ ...reportOf(name, streams), operation: path })
    }
  }
  let ms = Number.POSITIVE_INFINITY
  let bytes = 0
  for (let round = 0; round < rounds; round++) {
    const start = performance.now()
    bytes = (await scrape(undefined)).body.length
    ms = Math.min(ms, performance.now() - start)
  }
  return { ms, series: metrics.tally().series.length, bytes }
}

const plain = models.map((name) => reportOf(name, false))
const streamed = models.map((name) => reportOf(name, true))
const results = [
  { what: 'plain requests', us: await costOf('gen_ai', plain) },
  { what: 'streams', us: await costOf('gen_ai', streamed) },
  { what: "streams, LiteLLM's names", us: await costOf('litellm', streamed) },
]
for (const { what, us } of results) console.log(`${what.padEnd(30)} ${us.toFixed(3)} µs a request`)
const afterFailures = await costOf('gen_ai', plain.map(failed))
console.log(`${'requests that failed twice'.padEnd(30)} ${afterFailures.toFixed(3)} µs a request`)
const { ms, series, bytes } = await costOfScrape()
console.log(`${`a scrape of ${series} series`.padEnd(30)} ${ms.toFixed(1)} ms, ${Math.round(bytes / 1000)} kB`)
if (results.some(({ us }) => us > bound)) {
  console.error(`more than ${bound} µs`)
  process.exitCode = 1
}
const collector = await startCollector()
console.log('\nCPU of a plain request, all threads')
for (const subject of subjects(collector)) {
  console.log(`${subject.what.padEnd(30)} ${(await cpuOf(subject)).toFixed(2)} µs`)
  await subject.close()
}
await collector.stop()
