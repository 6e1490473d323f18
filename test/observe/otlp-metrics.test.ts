import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MetricsExporter } from '../../src/observe/otlp/metrics-exporter.ts'
import { readMetricsSettings } from '../../src/observe/otlp/metrics-settings.ts'
import { createNodeTransport } from '../../src/runtime/node-transport.ts'
import { ask, chat, until } from '../support/ask.ts'
import { fakeCollector } from '../support/collector.ts'
import { duringTests } from '../support/during-tests.ts'
import { gatewayStarter, ManualClock, serveUpstreams } from '../support/gateway.ts'
import { totalOf } from '../support/metric-points.ts'
import { partialSuccess } from '../support/otlp-protobuf.ts'
import { chatAnswer, chatFrames, json, stream } from '../support/upstream.ts'
import { headers, startCounted } from './metrics.ts'

const { up, spare } = serveUpstreams({ up: json(200, chatAnswer('hello')), spare: json(200, chatAnswer('spare')) })
const collector = duringTests(fakeCollector)
const serve = gatewayStarter()
const transport = createNodeTransport()
const secret = 'secret-of-the-collector'
const minute = 60_000
const begun: MetricsExporter[] = []

beforeEach(() => collector.clear())
afterAll(() => transport.close())
afterEach(async () => {
  // Who still waits for an answer would wait for as long as the exporter does.
  collector.clear()
  collector.hangUp()
  await Promise.all(begun.splice(0).map((exporter) => exporter.close(0)))
})

async function start(more: Record<string, string> = {}, counting: Parameters<typeof startCounted>[2] = {}) {
  const counted = await startCounted(serve, { up, spare }, { exported: true, names: 'none', ...counting })
  const { gateway, gather } = counted
  const clock = new ManualClock()
  const logged: string[] = []
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_EXPORTER_OTLP_HEADERS: `x-api-key=${secret}`, ...more }
  const settings = readMetricsSettings(env, (problem) => void logged.push(problem))
  if (!settings) throw new Error('nothing is exported')
  const log = (message: string) => void logged.push(message)
  const services = { clock, log, random: () => 0.5, transport }
  const exporter = new MetricsExporter({ settings, gather, services, instance: 'one' })
  begun.push(exporter)
  return {
    ...{ ...counted, clock, logged, exporter },
    ask: () => ask(gateway, chat('m'), { headers }),
    /** Has the next export go out, and resolves when it was answered. */
    async next() {
      const before = collector.exports.length
      await clock.advance(minute)
      await until(() => collector.exports.length > before)
    },
  }
}

describe('The export of metrics', () => {
  it.each(['http/protobuf', 'http/json'])(
    'has by %s the names, units and attributes of the conventions, and the counts of a scrape',
    async (protocol) => {
      const { gateway, next, scrape } = await start({ OTEL_EXPORTER_OTLP_PROTOCOL: protocol }, { names: 'gen_ai' })
      up.script(stream(chatFrames('hello')), json(500, { error: { message: 'oops' } }), json(200, chatAnswer('hello')))
      await ask(gateway, chat('m', { stream: true }), { headers })
      await ask(gateway, chat('m'), { headers })
      await ask(gateway, chat('m'), { headers })
      await next()
      const [points = []] = await collector.metrics(1)
      const [duration] = points.filter(({ metric }) => metric === 'gen_ai.server.request.duration')
      expect(duration).toMatchObject({
        ...{
          kind: 'histogram',
          unit: 's',
          temporality: 2,
          description: expect.stringMatching(/^Time from the arrival/),
        },
        attributes: {
          'gen_ai.operation.name': 'chat',
          'gen_ai.provider.name': 'openai-compatible',
          'gen_ai.request.model': 'm',
          'gen_ai.response.model': 'm',
        },
      })
      expect(duration?.attributes).not.toHaveProperty('error.type')
      for (const { kind, count, buckets, bounds } of points) {
        if (kind !== 'histogram') continue
        expect(buckets.reduce((sum, one) => sum + one, 0)).toBe(count)
        expect(buckets).toHaveLength(bounds.length + 1)
      }
      expect(totalOf(points, 'gen_ai.client.token.usage', { 'gen_ai.token.type': 'input' })).toBe(2)
      const text = await scrape()
      for (const name of ['samewire.requests', 'samewire.attempts', 'samewire.tokens']) {
        const lines = text.split('\n').filter((line) => line.startsWith(`${name.replace('.', '_')}_total{`))
        expect(lines.length).toBeGreaterThan(0)
        expect(totalOf(points, name)).toBe(lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0))
      }
      expect(points.find(({ metric }) => metric === 'samewire.requests')).toMatchObject({
        ...{ kind: 'sum', isMonotonic: true, unit: '{request}' },
      })
      expect(points.find(({ metric }) => metric === 'samewire.processes')).toMatchObject({ kind: 'gauge', value: 1 })
    },
  )

  it('needs no scrape to be allowed, and has names of its own', async () => {
    const closed = await start()
    await closed.ask()
    await expect(closed.scrape()).rejects.toThrow(/404/)
    const other = await start({}, { names: 'litellm' })
    await other.ask()
    await other.next()
    const [points] = await collector.metrics(1)
    expect(totalOf(points, 'gen_ai.server.request.duration')).toBe(1)
    expect(points?.filter(({ metric }) => metric.startsWith('litellm'))).toEqual([])
    expect(await other.scrape()).not.toContain('gen_ai_server')
  })

  it('has the newest names if they are asked for', async () => {
    const { ask, next } = await start({ OTEL_SEMCONV_STABILITY_OPT_IN: 'gen_ai_latest_experimental' }, { latest: true })
    await ask()
    await next()
    const [points] = await collector.metrics(1)
    expect(totalOf(points, 'gen_ai.client.inference.usage.output_tokens')).toBe(2)
    expect(totalOf(points, 'gen_ai.client.token.usage')).toBe(0)
  })

  it.each([
    { protocol: 'http/protobuf', type: 'application/x-protobuf' },
    { protocol: 'http/json', type: 'application/json' },
  ])('says by $protocol whose metrics they are, with the headers and the compression asked for', async (way) => {
    const { protocol, type } = way
    const { next } = await start({
      OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: protocol,
      OTEL_SERVICE_NAME: 'front door',
      OTEL_RESOURCE_ATTRIBUTES: 'team=red',
      OTEL_EXPORTER_OTLP_METRICS_COMPRESSION: 'gzip',
    })
    await next()
    const [points] = await collector.metrics(1)
    expect(points?.[0]?.resource).toEqual({
      ...{ 'service.name': 'front door', 'service.instance.id': 'one', team: 'red' },
    })
    expect(collector.exports[0]).toMatchObject({
      path: '/v1/metrics',
      headers: { 'content-encoding': 'gzip', 'content-type': type, 'x-api-key': secret },
    })
  })

  it('tells all since the start each time', async () => {
    const { ask, next } = await start()
    await ask()
    await next()
    await ask()
    await next()
    const [first = [], second = []] = await collector.metrics(2)
    expect([first, second].map((points) => totalOf(points, 'samewire.requests'))).toEqual([1, 2])
    expect(new Set([...first, ...second].map(({ start }) => start)).size).toBe(1)
    expect((second[0]?.time ?? 0) - (first[0]?.time ?? 0)).toBe(minute)
  })

  it('tells what was counted since the export before, if that is preferred', async () => {
    const { ask, next } = await start({ OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: 'delta' })
    await ask()
    await ask()
    await next()
    await ask()
    await next()
    await next()
    const [first = [], second = [], third = []] = await collector.metrics(3)
    const counts = (name: string) => [first, second, third].map((points) => totalOf(points, name))
    expect(counts('samewire.requests')).toEqual([2, 1, 0])
    expect(counts('gen_ai.server.request.duration')).toEqual([2, 1, 0])
    expect(counts('samewire.processes')).toEqual([1, 1, 1])
    expect(third.filter(({ kind }) => kind !== 'gauge')).toEqual([])
    expect(second.every(({ start }) => start === first[0]?.time)).toBe(true)
    expect(second.find(({ kind }) => kind === 'sum')?.temporality).toBe(1)
  })

  it('loses nothing where the collector fails for a while', async () => {
    const { ask, next } = await start({ OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: 'delta' })
    await ask()
    collector.react({ status: 401 })
    await next()
    await ask()
    collector.react({ status: 200 })
    await next()
    const [points] = await collector.metrics(1)
    expect(totalOf(points, 'samewire.requests')).toBe(2)
  })

  it('comes again where the collector is busy', async () => {
    const { clock, ask, next } = await start()
    await ask()
    collector.react({ status: 503 }, { status: 200 })
    await next()
    // The next export, the end of this one's time, and the wait.
    await until(() => clock.waiting === 3)
    await clock.advance(1_000)
    const [points] = await collector.metrics(1)
    expect(totalOf(points, 'samewire.requests')).toBe(1)
    expect(collector.exports[1]?.text).toBe(collector.exports[0]?.text)
  })

  it('tells what is wrong once a minute, without a secret, and no request notices', async () => {
    const { ask, next, logged } = await start()
    collector.react({ status: 401, body: `{"message":"${secret}"}` })
    await next()
    await until(() => logged.length > 0)
    expect((await ask()).status).toBe(200)
    expect(logged).toEqual(['telemetry: points of metrics wait for the next export: the collector answered 401'])
    collector.react({ status: 200, body: partialSuccess(2, 'too old') })
    await next()
    await until(() => logged.length > 1)
    expect(logged[1]).toBe('telemetry: 2 points of metrics were lost: the collector refused them: too old')
  })

  it('is not begun anew before the one before is over', async () => {
    const { clock, next, ask } = await start({ OTEL_METRIC_EXPORT_INTERVAL: '1000' })
    collector.react(undefined)
    await next()
    await clock.advance(20_000)
    expect((await ask()).status).toBe(200)
    expect(collector.exports).toHaveLength(1)
  })

  it('happens once more when the gateway stops', async () => {
    const { ask, exporter } = await start()
    await ask()
    await exporter.close(2_000)
    const [points] = await collector.metrics(1)
    expect(totalOf(points, 'samewire.requests')).toBe(1)
  })

  it('holds up no gateway that stops', async () => {
    const { exporter, clock, logged } = await start()
    collector.react(undefined)
    const closed = exporter.close(2_000)
    await until(() => collector.exports.length > 0)
    await clock.advance(2_000)
    await closed
    expect(logged).toEqual([
      'telemetry: points of metrics since the last export were lost: the collector did not take them in time',
    ])
  })
})

describe('The settings of the export of metrics', () => {
  const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector.lan:4318/otel/' }

  function read(env: Record<string, string>) {
    const warnings: string[] = []
    return { warnings, settings: readMetricsSettings(env, (problem) => void warnings.push(problem)) }
  }

  it('are those for all, or those for metrics alone', () => {
    const own = {
      OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'https://metrics.lan/here',
      OTEL_EXPORTER_OTLP_METRICS_HEADERS: 'b=2',
      OTEL_EXPORTER_OTLP_METRICS_TIMEOUT: '500',
      OTEL_METRIC_EXPORT_INTERVAL: '5000',
    }
    expect(read(endpoint).settings).toMatchObject({
      ...{ interval: 60_000, timeout: 30_000, delta: false },
      signal: { url: 'http://collector.lan:4318/otel/v1/metrics', timeout: 10_000 },
    })
    expect(read({ ...endpoint, OTEL_EXPORTER_OTLP_HEADERS: 'a=1', ...own }).settings).toMatchObject({
      interval: 5_000,
      signal: { url: 'https://metrics.lan/here', headers: { b: '2' }, timeout: 500 },
    })
    expect(read({ OTEL_METRICS_EXPORTER: 'otlp' }).settings?.signal.url).toBe('http://localhost:4318/v1/metrics')
  })

  it.each([
    [{}],
    [{ ...endpoint, OTEL_METRICS_EXPORTER: 'none' }],
    [{ ...endpoint, OTEL_METRICS_EXPORTER: 'prometheus' }],
    [{ ...endpoint, OTEL_SDK_DISABLED: 'true' }],
    [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://collector.lan:4318/v1/traces' }],
  ])('are none with %j', (env) => {
    expect(read(env)).toEqual({ warnings: [], settings: undefined })
  })

  it.each([
    { OTEL_METRIC_EXPORT_INTERVAL: secret },
    { OTEL_METRIC_EXPORT_TIMEOUT: '0' },
    { OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: secret },
    { OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION: 'base2_exponential_bucket_histogram' },
    { OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: secret },
    { OTEL_METRICS_EXPORTER: `otlp,${secret}` },
    { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: `https://user:${secret}@collector.lan` },
  ])('say what is wrong with them, and never how it reads: %j', (env) => {
    const { warnings } = read({ ...endpoint, ...env })
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toMatch(/^OTEL_\w+: /)
    expect(warnings[0]).not.toContain(secret)
  })
})
