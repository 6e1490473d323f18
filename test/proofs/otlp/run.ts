import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import { ask, chat, until } from '../../support/ask.ts'
import { type FakeCollector, fakeCollector, type Span } from '../../support/collector.ts'
import { startGateway } from '../../support/gateway.ts'
import { chatAnswer, chatFrames, fakeUpstream, json, stream } from '../../support/upstream.ts'

/**
 * `npm run prove:otlp`: a real OpenTelemetry Collector, built from its own Go modules, reads what the gateway exports,
 * and passes on what it has understood. Exits with 1 if that isn't what was meant. Without Go it says so, and does
 * nothing.
 */
const source = fileURLToPath(new URL('./collector', import.meta.url))
const cache = fileURLToPath(new URL('../../../node_modules/.cache/otlp', import.meta.url))
const program = join(cache, 'collector')

/** Undefined if it can't be had here. */
async function builtCollector(): Promise<string | undefined> {
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
      pipelines: { traces: { receivers: ['otlp'], exporters: ['otlp_http'] } },
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

/** Makes traces of several kinds; the spans go to `endpoint`. */
async function makeTraces(endpoint: string, gzip: boolean): Promise<void> {
  const upstream = await fakeUpstream(json(200, chatAnswer('hello')))
  const [role = '', hello = ''] = chatFrames('hello')
  const config = {
    providers: { up: { type: 'openai-compatible', baseURL: upstream.url } },
    models: { m: 'up/m' },
    retries: 0,
  }
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    OTEL_RESOURCE_ATTRIBUTES: 'team=r%C3%A9d',
    OTEL_SEMCONV_STABILITY_OPT_IN: 'gen_ai_latest_experimental',
    ...(gzip && { OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip' }),
  }
  const gateway = await startGateway(config, { env })
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
  await gateway.close()
  for (const entry of gateway.logged) if (entry.startsWith('telemetry')) throw new Error(entry)
  await upstream.close()
}

/** As they are, whatever their order, and as the collector writes what it holds to be the default. */
function comparable(spans: readonly Span[]): readonly object[] {
  return spans
    .map(({ status, parentSpanId = '', traceState = '', ...rest }) => ({
      ...{ ...rest, parentSpanId, traceState, status: status?.code ?? 0 },
    }))
    .sort((a, b) => a.spanId.localeCompare(b.spanId))
}

/** Sends the same through a collector as to the sink itself: it sees both. */
async function check(file: string, gzip: boolean): Promise<number> {
  const direct = await fakeCollector()
  const sink = await fakeCollector()
  try {
    await makeTraces(direct.url, gzip)
    const spans = await direct.spans(14)
    await withCollector(file, sink.url, async (url) => {
      await forwarded(direct, url, gzip)
      await sink.spans(spans.length)
    })
    const [sent, read] = [comparable(spans), comparable(await sink.spans(spans.length))]
    if (!isDeepStrictEqual(sent, read)) {
      console.log(JSON.stringify({ sent, read }, null, 2))
      throw new Error('The collector has understood something else.')
    }
    return spans.length
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
    const answer = await response.text()
    if (response.status !== 200 || !/^\{("partialSuccess":\{\})?\}$/.test(answer)) {
      throw new Error(`The collector answered ${response.status} ${answer}`)
    }
  }
}

const file = await builtCollector()
if (!file) console.log('SKIPPED: there is no Go here (or no Go modules), of which the collector would be built.')
else {
  for (const gzip of [false, true]) {
    const count = await check(file, gzip)
    console.log(`ok: the collector has read ${count} spans${gzip ? ', compressed,' : ''} as they were meant`)
  }
  await withCollector(file, 'http://127.0.0.1:1', (url) => makeTraces(url, true))
  console.log('ok: the gateway itself has exported to it, and nothing was refused')
}
