import { beforeEach, describe, expect, it } from 'vitest'
import { chat } from '../support/ask.ts'
import { fakeCollector } from '../support/collector.ts'
import { duringTests } from '../support/during-tests.ts'
import { serveUpstreams } from '../support/gateway.ts'
import { type LiveProgram, startLive } from '../support/live.ts'
import { totalOf } from '../support/metric-points.ts'
import { chatAnswer, json } from '../support/upstream.ts'
import { usually } from '../support/usually.ts'

const { up } = serveUpstreams({ up: json(200, chatAnswer('hello')) })
const collector = duringTests(fakeCollector)

beforeEach(() => collector.clear())

const configOf = (more: object = {}) => ({
  providers: { lab: { type: 'openai-compatible', baseURL: up.url } },
  models: { m: 'lab/m' },
  ...more,
})

/** With a connection for each request, so that workers take turns. */
async function ask(live: LiveProgram, count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    const reply = await live.request('/v1/chat/completions', {
      method: 'POST',
      headers: { 'content-type': 'application/json', connection: 'close' },
      body: JSON.stringify(chat('m')),
    })
    expect(reply.status).toBe(200)
  }
}

/** What is exported only when the gateway stops. */
const atTheEnd = { OTEL_BSP_SCHEDULE_DELAY: '600000', OTEL_METRIC_EXPORT_INTERVAL: '600000' }

function exportsTo(path: string): number {
  return collector.exports.filter((one) => one.path === path).length
}

const gateways: readonly [name: string, args: readonly string[]][] = [
  ['A gateway', []],
  ['A gateway with two workers', ['--workers', '2']],
]

describe.each(gateways)('%s that is told of a collector', (_, args) => {
  it('sends the spans and the counts that it still has when SIGTERM ends it', async () => {
    const live = await startLive(configOf(), { args, env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ...atTheEnd } })
    await ask(live, 6)
    expect(collector.exports).toEqual([])
    live.program.signal('SIGTERM')
    expect(await live.program.ended).toBe(0)
    await live.close()
    expect(await collector.spans(18)).toHaveLength(18)
    expect(exportsTo('/v1/metrics')).toBe(1)
    const [points] = await collector.metrics(1)
    expect(totalOf(points, 'samewire.requests', { model: 'm' })).toBe(6)
    expect(totalOf(points, 'gen_ai.server.request.duration', { 'gen_ai.request.model': 'm' })).toBe(6)
    expect(live.program.printed()).not.toContain('telemetry')
  })

  it('tells it of all processes in one stream of counts, whatever becomes of them', async () => {
    const env = {
      OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: `${collector.url}/v1/metrics`,
      OTEL_METRIC_EXPORT_INTERVAL: '100',
    }
    const live = await startLive(configOf(), { args, env })
    await ask(live, 4)
    const { hash } = await live.rewrite(configOf({ retries: 1 }))
    await ask(live, 4)
    if (args.length > 0) {
      // One whose counts were told, and whose place another takes.
      await collector.metrics((await collector.metrics(0)).length + 2)
      const [victim] = (await live.config()).workers ?? []
      process.kill(victim?.pid ?? 0, 'SIGKILL')
      await live.program.until(/worker \d+ answers/)
    }
    await ask(live, 2)
    await collector.metrics((await collector.metrics(0)).length + 3)
    await live.close()
    const all = await collector.metrics(1)
    const counts = all.map((points) => totalOf(points, 'samewire.requests', { model: 'm' }))
    expect(counts).toEqual(counts.toSorted((one, other) => one - other))
    expect(counts.at(-1)).toBe(10)
    expect(new Set(all.flatMap((points) => points.map(({ start }) => start))).size).toBe(1)
    expect(new Set(all.flatMap((points) => points.map(({ resource }) => resource['service.instance.id']))).size).toBe(1)
    const before = all.at(-2)
    expect(totalOf(before, 'samewire.config_info', { hash })).toBe(totalOf(before, 'samewire.processes'))
    expect(totalOf(before, 'samewire.config_reloads', { result: 'applied' })).toBe(1)
    expect(exportsTo('/v1/traces')).toBe(0)
  })
})

describe.each(usually(gateways.slice(1), gateways))('%s that is told of a collector', (_, args) => {
  it('serves, and says once what it misses, where there is none', async () => {
    const env = {
      OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://127.0.0.1:1/v1/metrics',
      OTEL_METRIC_EXPORT_INTERVAL: '50',
    }
    const live = await startLive(configOf(), { args, env })
    await live.program.until(/points of metrics wait for the next export: the collector could not be reached/)
    await ask(live, 2)
    await live.close()
    expect(live.program.printed().match(/points of metrics wait/g)).toHaveLength(1)
    expect(live.program.printed()).toContain(
      'points of metrics since the last export were lost: the collector could not',
    )
  })

  it('says at the start what it can’t do', async () => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }
    const live = await startLive(configOf(), { args, env })
    await ask(live, 2)
    await live.close()
    expect(live.program.printed()).toMatch(/gRPC is not spoken here, so no traces are exported/)
    expect(live.program.printed()).toMatch(/gRPC is not spoken here, so no metrics are exported/)
    expect(collector.exports).toEqual([])
  })
})

describe('A gateway', () => {
  /** Has a program print which files of its own it loads. */
  const watching = `--import data:text/javascript,${encodeURIComponent(
    "import{registerHooks}from'node:module';registerHooks({load:(url,context,next)=>{console.log('loads '+url);return next(url,context)}})",
  )}`

  it.each([
    [{}, /observe\/otlp\/|metrics\/metrics\.ts/],
    [{ OTEL_METRICS_EXPORTER: 'prometheus' }, /observe\/otlp\/(?!names)/],
    [{ OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://127.0.0.1:1' }, /otlp\/(telemetry|spans)\.ts/],
    [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1:1' }, /metrics\/metrics\.ts|otlp\/metrics/],
  ])('loads nothing for telemetry that %j doesn’t ask for', async (env, unneeded) => {
    const live = await startLive(configOf(), { env: { NODE_OPTIONS: watching, ...env } })
    await ask(live, 1)
    await live.close()
    const loaded = live.program.printed().match(/loads \S+/g) ?? []
    expect(loaded.some((line) => line.includes('observe/telemetry.ts'))).toBe(true)
    expect(loaded.filter((line) => unneeded.test(line))).toEqual([])
  })

  it('opens its metrics to scrapes if OpenTelemetry’s variable says prometheus, unless its own says no', async () => {
    for (const [more, status] of [
      [{}, 200],
      [{ SAMEWIRE_METRICS: 'false' }, 404],
    ] as const) {
      const live = await startLive(configOf(), { env: { OTEL_METRICS_EXPORTER: 'prometheus', ...more } })
      expect((await live.request('/metrics')).status).toBe(status)
      await live.close()
    }
  })
})
