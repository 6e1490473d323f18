import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import { systemClock } from '../../../src/core/clock.ts'
import { createMetrics } from '../../../src/observe/metrics/metrics.ts'
import { MetricsExporter } from '../../../src/observe/otlp/metrics-exporter.ts'
import { readMetricsSettings } from '../../../src/observe/otlp/metrics-settings.ts'
import { readPartialSuccess } from '../../../src/observe/otlp/protobuf/partial-success.ts'
import { createNodeTransport } from '../../../src/runtime/node-transport.ts'
import { ask, chat, until } from '../../support/ask.ts'
import { type FakeCollector, fakeCollector, type Span } from '../../support/collector.ts'
import { startGateway } from '../../support/gateway.ts'
import { type Point, totalOf } from '../../support/metric-points.ts'
import { configFile, launch } from '../../support/program.ts'
import { chatAnswer, chatFrames, fakeUpstream, json, stream } from '../../support/upstream.ts'

/**
 * `npm run prove:otlp`: a real OpenTelemetry Collector, built from its own Go modules, reads what the gateway exports,
 * and passes on what it has understood. Exits with 1 if that isn't what was meant. Without Go it says so, and does
 * nothing; `npm run prove:otlp -- FOLDER` takes the program `collector` or `otelcol` that is in the folder instead.
 */
const [, , folder] = process.argv
const source = fileURLToPath(new URL('./collector', import.meta.url))
const cache = fileURLToPath(new URL('../../../node_modules/.cache/otlp', import.meta.url))
const program = join(cache, 'collector')

interface Way {
  readonly protocol: (typeof protocols)[number]
  readonly gzip: boolean
  /** Whether each export of metrics tells only what is new. */
  readonly delta: boolean
}

const protocols = ['http/protobuf', 'http/json'] as const
const ways: readonly Way[] = protocols.flatMap((protocol) => [
  { protocol, gzip: false, delta: false },
  { protocol, gzip: true, delta: true },
])
/** Requests to the program. */
const asked = 20

/** Undefined if it can't be had here. */
async function readyCollector(): Promise<string | undefined> {
  if (folder !== undefined) {
    return ['collector', 'otelcol'].map((name) => join(folder, name)).find((file) => existsSync(file))
  }
  if (spawnSync('go', ['version']).error) return undefined
  await mkdir(cache, { recursive: true })
  console.log('Building the collector; the first time takes minutes.')
  const flags = ['build', '-buildvcs=false', '-o', program, '.']
  const { status } = spawnSync('go', flags, { cwd: source, stdio: 'inherit' })
  return status === 0 ? program : undefined
}

async function freePort(): Promise<number> {
  const held = await fakeUpstream()
  await held.close()
  return Number(new URL(held.url).port)
}

/** Runs `work` with the address of a collector that passes all on to `sink`. */
async function withCollector(file: string, sink: string, work: (url: string) => Promise<void>): Promise<void> {
  const url = `127.0.0.1:${await freePort()}`
  const folder = await mkdtemp(join(tmpdir(), 'otlp-'))
  const config = {
    receivers: { otlp: { protocols: { http: { endpoint: url } } } },
    exporters: { otlp_http: { endpoint: sink, encoding: 'json', compression: 'none' } },
    service: {
      telemetry: { metrics: { level: 'none' } },
      pipelines: {
        traces: { receivers: ['otlp'], exporters: ['otlp_http'] },
        metrics: { receivers: ['otlp'], exporters: ['otlp_http'] },
      },
    },
  }
  const path = join(folder, 'collector.yaml')
  await writeFile(path, JSON.stringify(config))
  const child = spawn(file, ['--config', path], { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.on('data', (data) => {
    said += data
  })
  try {
    await until(() => said.includes('Everything is ready') || child.exitCode !== null)
    if (child.exitCode !== null) throw new Error(said)
    await work(`http://${url}`)
  } finally {
    child.kill()
    if (child.exitCode === null) await once(child, 'exit')
    await rm(folder, { recursive: true })
  }
}

/** Makes traces and counts of several kinds, which go to `endpoint`: spans, and metrics twice. */
async function makeTelemetry(endpoint: string, { protocol, gzip, delta }: Way): Promise<void> {
  const upstream = await fakeUpstream(json(200, chatAnswer('hello')))
  const [role = '', hello = ''] = chatFrames('hello')
  const config = {
    providers: { up: { type: 'openai-compatible', baseURL: upstream.url } },
    models: { m: 'up/m' },
    retries: 0,
  }
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
    OTEL_RESOURCE_ATTRIBUTES: 'team=r%C3%A9d',
    OTEL_SEMCONV_STABILITY_OPT_IN: 'gen_ai_latest_experimental',
    ...(gzip && { OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip' }),
    ...(delta && { OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: 'delta' }),
    OTEL_METRIC_EXPORT_INTERVAL: '300',
  }
  const metrics = createMetrics({ clock: systemClock, latest: true, exported: true })
  const gateway = await startGateway(config, { env, metrics })
  const settings = readMetricsSettings(env, complain)
  if (!settings) throw new Error('No metrics are exported.')
  const transport = createNodeTransport()
  const services = { clock: systemClock, random: Math.random, transport, log: complain }
  const exporter = new MetricsExporter({ settings, services, gather: metrics.gather, instance: 'proof' })
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const headers = { traceparent, tracestate: 'vendor=1' }
  await ask(gateway, chat('m', { temperature: 0.25, seed: 7, stop: ['é'] }), { headers })
  upstream.script(stream(chatFrames('hello')))
  await ask(gateway, chat('m', { stream: true }))
  upstream.script(stream([role, hello]))
  await ask(gateway, chat('m', { stream: true }))
  upstream.script(json(500, { error: { message: 'oops' } }))
  await ask(gateway, chat('m'))
  await ask(gateway, chat('\ud800 no such model'))
  // One export in passing, and one at the end.
  await new Promise((wait) => setTimeout(wait, 400))
  await ask(gateway, chat('m'))
  await exporter.close(2_000)
  await transport.close()
  await gateway.close()
  for (const entry of gateway.logged) if (entry.startsWith('telemetry')) throw new Error(entry)
  await upstream.close()
}

function complain(problem: string): never {
  throw new Error(problem)
}

/** As they are, whatever their order, and as the collector writes what it holds to be the default. */
function comparable(spans: readonly Span[]): readonly object[] {
  return spans
    .map(({ status, parentSpanId = '', traceState = '', ...rest }) => ({
      ...{ ...rest, parentSpanId, traceState, status: status?.code ?? 0 },
    }))
    .sort((a, b) => a.spanId.localeCompare(b.spanId))
}

/** Points of exports, in an order of their own: the collector may join what came apart. */
function comparablePoints(all: readonly (readonly Point[])[]): readonly string[] {
  return all
    .flat()
    .map((point) => JSON.stringify({ ...point, attributes: Object.entries(point.attributes).sort() }))
    .sort()
}

/** Sends the same through a collector as to the sink itself: it sees both. */
async function check(file: string, way: Way): Promise<string> {
  const direct = await fakeCollector()
  const sink = await fakeCollector()
  try {
    await makeTelemetry(direct.url, way)
    const spans = await direct.spans(17)
    const points = (await direct.metrics(2)).flat()
    await withCollector(file, sink.url, async (url) => {
      await forwarded(direct, url, way.gzip)
      await sink.spans(spans.length)
      const arrived = await sink.metrics(1)
      await until(() => arrived.flat().length >= points.length)
    })
    const sent = [...comparable(spans), ...comparablePoints([points])]
    const read = [...comparable(await sink.spans(spans.length)), ...comparablePoints(await sink.metrics(0))]
    if (!isDeepStrictEqual(sent, read)) {
      console.log(JSON.stringify({ sent, read }, null, 2))
      throw new Error('The collector has understood something else.')
    }
    return `${spans.length} spans and ${points.length} points of metrics`
  } finally {
    await Promise.all([direct.close(), sink.close()])
  }
}

/** Sends on, byte for byte, what the gateway has sent. */
async function forwarded({ exports }: FakeCollector, url: string, gzip: boolean): Promise<void> {
  for (const { path, headers, bytes } of exports) {
    if ((headers['content-encoding'] === 'gzip') !== gzip) throw new Error('The compression is not what was asked for.')
    const { 'content-type': type = '', 'content-encoding': encoding } = headers
    const told = {
      'content-type': String(type),
      ...(encoding !== undefined && { 'content-encoding': String(encoding) }),
    }
    const response = await fetch(url + path, { method: 'POST', headers: told, body: bytes })
    const answer = new Uint8Array(await response.arrayBuffer())
    if (response.status !== 200 || !saysNothing(answer, type === 'application/json')) {
      throw new Error(`The collector answered ${response.status} ${new TextDecoder().decode(answer)}`)
    }
  }
}

/** Whether an answer has no word of what wasn't taken. */
function saysNothing(answer: Uint8Array, isJSON: boolean): boolean {
  if (!isJSON) return isDeepStrictEqual(readPartialSuccess(answer), {})
  return /^\{("partialSuccess":\{\})?\}$/.test(new TextDecoder().decode(answer))
}

/** The gateway as it is started, with two workers, tells a collector of both, which passes them on. */
async function checkProgram(file: string): Promise<string> {
  const sink = await fakeCollector()
  const upstream = await fakeUpstream(json(200, chatAnswer('hello')))
  const lab = { type: 'openai-compatible', baseURL: upstream.url }
  const config = await configFile({ providers: { lab }, models: { m: 'lab/m' } })
  try {
    await withCollector(file, sink.url, async (url) => {
      const program = launch(['--workers', '2', '--config', config.path], { OTEL_EXPORTER_OTLP_ENDPOINT: url })
      const [, address = ''] = await program.until(/listens on http:\/\/([\d.:]+)\/v1/)
      for (let n = 0; n < asked; n++) {
        const headers = { 'content-type': 'application/json', connection: 'close' }
        const body = JSON.stringify(chat('m'))
        await (await fetch(`http://${address}/v1/chat/completions`, { method: 'POST', headers, body })).text()
      }
      program.signal('SIGTERM')
      await program.ended
      if (program.printed().includes('telemetry')) throw new Error(program.printed())
      await sink.spans(3 * asked)
      await sink.metrics(1)
    })
    const counted = totalOf((await sink.metrics(1)).flat(), 'gen_ai.server.request.duration')
    const { length: spans } = await sink.spans(0)
    if (counted !== asked || spans !== 3 * asked)
      throw new Error(`It has passed on ${counted} requests, ${spans} spans.`)
    return `${spans} spans and ${counted} durations`
  } finally {
    await Promise.all([sink.close(), upstream.close(), config.remove()])
  }
}

const file = await readyCollector()
if (!file) console.log('SKIPPED: there is no Go here (or no Go modules), of which the collector would be built.')
else {
  for (const way of ways) {
    const what = await check(file, way)
    const how = ` by ${way.protocol}${way.gzip ? ', compressed,' : ''}${way.delta ? ' as deltas' : ''}`
    console.log(`ok: the collector has read ${what}${how} as they were meant`)
  }
  for (const protocol of protocols) {
    const way = { protocol, gzip: true, delta: false }
    await withCollector(file, 'http://127.0.0.1:1', (url) => makeTelemetry(url, way))
  }
  console.log('ok: the gateway itself has exported to it, and nothing was refused')
  console.log(`ok: two workers, ended by SIGTERM, have told it of ${asked} requests by ${await checkProgram(file)}`)
}
