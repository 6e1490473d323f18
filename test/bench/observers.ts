import { closeSync, openSync } from 'node:fs'
import { registry } from '../../providers/index.ts'
import { buildCatalog } from '../../src/config/catalog.ts'
import { systemClock } from '../../src/core/clock.ts'
import type { Observer, RequestReport } from '../../src/core/report.ts'
import type { Trace } from '../../src/core/trace.ts'
import { createLogger } from '../../src/observe/logger.ts'
import { createMetrics } from '../../src/observe/metrics/metrics.ts'
import { readOtlpSettings } from '../../src/observe/otlp/settings.ts'
import { createTelemetry } from '../../src/observe/otlp/telemetry.ts'
import { createLines } from '../../src/runtime/node-output.ts'
import { createNodeTransport } from '../../src/runtime/node-transport.ts'
import { type Measured, start } from './processes.ts'
import { quantile } from './statistics.ts'

/** Whoever is told of requests, with real output. */
export interface Subject {
  readonly what: string
  readonly observer: Observer
  close(): Promise<void>
}

const requests = 1_000
const rounds = 60
const warmUps = 10

const deployment = 'lab/gpt-5-mini'
const catalog = buildCatalog(
  {
    providers: { lab: { type: 'openai-compatible', baseURL: 'https://lab.example/v1' } },
    models: { small: { deployments: [deployment] } },
  },
  registry,
  {},
)
const served = catalog.models.get('small')?.deployments[0]
const plan = { requested: 'small', targets: [{ deployment: served, why: 'requested' }], skipped: [] }

/** A collector in a process of its own. */
export function startCollector(core?: number): Promise<Measured> {
  const command = [process.execPath, 'test/bench/collector.ts']
  return start({ name: 'collector', command, core, port: /"port":(\d+)/ })
}

export function subjects(collector: Measured): readonly Subject[] {
  const idle = async () => {}
  return [
    { what: 'the measurement itself', observer: { over() {} }, close: idle },
    logging(),
    { what: 'metrics', observer: counting(), close: idle },
    tracing(collector, 'http/protobuf'),
    tracing(collector, 'http/json'),
  ]
}

/** To a file that takes everything: the writes are real. */
function logging(): Subject {
  const descriptor = openSync('/dev/null', 'w')
  const lines = createLines(descriptor, systemClock)
  const settings = { level: 'info', format: 'json', sample: 1, content: false } as const
  const { observer } = createLogger(settings, { output: lines.write, clock: systemClock, random: Math.random })
  if (!observer) throw new Error('no lines are written')
  return {
    ...{ what: 'log, a line of JSON each', observer },
    async close() {
      lines.flush()
      closeSync(descriptor)
    },
  }
}

function counting(): Observer {
  const metrics = createMetrics({ clock: systemClock, latest: false })
  const health = { labels: () => [], find: () => undefined }
  const hash = Promise.resolve('0123456789ab')
  const watch = metrics.watch({ catalog, known: new Map(), health, scraped: 'gen_ai', hash, keys: [] })
  if (!watch) throw new Error('nothing is counted')
  return watch.observer
}

function tracing(collector: Measured, protocol: string): Subject {
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collector.port}/loop`,
    OTEL_BSP_MAX_QUEUE_SIZE: '1000000',
    OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
  }
  const transport = createNodeTransport()
  const services = { clock: systemClock, random: Math.random, transport, log: (entry: string) => console.log(entry) }
  const settings = readOtlpSettings(env, console.log)
  const { observer, close } = createTelemetry({ settings, services, passesOn: false, background: true })
  return { what: `three spans, ${protocol}`, observer, close: () => close(5_000).then(transport.close) }
}

/**
 * Microseconds of CPU for a request, all threads included, the measurement's own among them: a tenth of many short rounds
 * take less, since other programs only add.
 */
export async function costOf({ observer }: Subject): Promise<number> {
  const times: number[] = []
  for (let round = -warmUps; round < rounds; round++) {
    const before = process.cpuUsage()
    for (let turn = 1; turn <= requests; turn++) {
      tell(observer)
      // What they send goes out in turns of the event loop.
      if (turn % 50 === 0) await new Promise((done) => setImmediate(done))
    }
    const { user, system } = process.cpuUsage(before)
    if (round >= 0) times.push((user + system) / requests)
  }
  return quantile(
    times.sort((a, b) => a - b),
    0.1,
  )
}

function tell(observer: Observer): void {
  const trace = { attempts: [], plan } as unknown as Trace
  const started = systemClock.now()
  const about = {
    requestId: 'req_0123456789abcdef0123456789abcdef',
    method: 'POST',
    path: '/chat/completions',
    started,
  }
  observer.began?.({ ...about, header: () => undefined, trace })
  const span = trace.context?.nextSpan()
  trace.attempts.push({
    ...{ deployment, why: 'requested', at: started, ms: 120, over: started + 840 },
    ...(span !== undefined && { span }),
  })
  const report: RequestReport = {
    ...{ ...about, operation: 'chat', model: 'small', key: 'TEAM_KEY', user: undefined, status: 200, streams: false },
    ...{ asked: { temperature: 0.7, max_tokens: 256 }, outcome: 'done', failure: undefined, trace, served },
    ...{ firstMs: 120.25, ms: 840.5, cost: 421_000, bytesIn: 2_048 },
    tokens: { input: 412, output: 96, cached: 0, reasoning: 0 },
  }
  observer.over(report)
}
