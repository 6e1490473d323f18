import { beforeEach, describe, expect, it } from 'vitest'
import { readOtlpSettings } from '../../src/observe/otlp/settings.ts'
import { ask, chat, until } from '../support/ask.ts'
import { fakeCollector } from '../support/collector.ts'
import { duringTests } from '../support/during-tests.ts'
import { gatewayStarter, serveUpstreams } from '../support/gateway.ts'
import { partialSuccess } from '../support/otlp-protobuf.ts'
import { chatAnswer, json } from '../support/upstream.ts'

const { up } = serveUpstreams({ up: json(200, chatAnswer('hello')) })
const collector = duringTests(fakeCollector)
const serve = gatewayStarter()
const secret = 'secret-of-the-collector'

beforeEach(() => collector.clear())

function start(more: Record<string, string> = {}) {
  const config = { providers: { up: { type: 'openai-compatible', baseURL: up.url } }, models: { m: 'up/m' } }
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_HEADERS: `x-api-key=${secret}`,
    OTEL_BSP_SCHEDULE_DELAY: '10',
    ...more,
  }
  return serve(config, { env })
}

describe('The export of traces', () => {
  it('sends what has gathered when the gateway stops', async () => {
    const gateway = await start({ OTEL_BSP_SCHEDULE_DELAY: '600000' })
    await ask(gateway, chat('m'))
    expect(collector.exports).toEqual([])
    await gateway.close()
    expect(await collector.spans(3)).toHaveLength(3)
  })

  it('sends many spans at once', async () => {
    const gateway = await start({ OTEL_BSP_SCHEDULE_DELAY: '600000', OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '6' })
    for (let n = 0; n < 4; n++) await ask(gateway, chat('m'))
    await collector.spans(12)
    expect(collector.exports).toHaveLength(2)
  })

  it('comes again where the collector is busy, and not before it is asked to', async () => {
    collector.react({ status: 429, headers: { 'retry-after': '1' } }, { status: 503 }, { status: 200 })
    const gateway = await start()
    await ask(gateway, chat('m'))
    expect(await collector.spans(3)).toHaveLength(3)
    const [first, second, third] = collector.exports
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(990)
    expect(third?.text).toBe(first?.text)
    expect(gateway.logged.filter((entry) => entry.includes('telemetry'))).toEqual([])
  })

  it('gives up what the collector refuses, and tells of it without a secret', async () => {
    collector.react({ status: 401, body: `{"message":"${secret}"}` }, { status: 200 })
    const gateway = await start()
    await ask(gateway, chat('m'))
    await until(() => gateway.logged.some((entry) => entry.includes('telemetry')))
    expect(gateway.logged).toContain('telemetry: 3 spans were lost: the collector answered 401')
    await ask(gateway, chat('m'))
    expect(await collector.spans(3)).toHaveLength(3)
    expect(gateway.logged.join()).not.toContain(secret)
  })

  const told = '{"partialSuccess":{"rejectedSpans":"2","errorMessage":"too old"}}'

  it.each([
    { protocol: 'http/protobuf', body: partialSuccess(2, 'too old') },
    { protocol: 'http/json', body: told },
    // Some know no other type of answers.
    { protocol: 'http/protobuf', body: told, headers: { 'content-type': 'application/json' } },
  ])('tells how many spans a collector did not take, by $protocol', async ({ protocol, ...answer }) => {
    collector.react({ status: 200, ...answer })
    const gateway = await start({ OTEL_EXPORTER_OTLP_PROTOCOL: protocol })
    await ask(gateway, chat('m'))
    await until(() => gateway.logged.length > 0)
    expect(gateway.logged).toEqual(['telemetry: 2 spans were lost: the collector refused them: too old'])
  })

  it.each([
    ['none of it is one', Uint8Array.of(0xff, 0xff, 0xff)],
    ['it breaks off', partialSuccess(2, 'too old').subarray(0, 6)],
    ['there is too much of it', new Uint8Array(100_000).fill(0x0a)],
  ])('takes an answer for a success, and nothing else, where %s', async (_what, body) => {
    collector.react({ status: 200, body })
    const gateway = await start()
    await ask(gateway, chat('m'))
    await collector.spans(3)
    await ask(gateway, chat('m'))
    // One batch after the other.
    await collector.spans(6)
    expect(collector.exports).toHaveLength(2)
    expect(gateway.logged).toEqual([])
  })

  it('keeps only so many spans for a collector that hangs', async () => {
    collector.react(undefined)
    const gateway = await start({ OTEL_BSP_MAX_QUEUE_SIZE: '6', OTEL_EXPORTER_OTLP_TIMEOUT: '600000' })
    await ask(gateway, chat('m'))
    await until(() => collector.exports.length === 1)
    for (let n = 0; n < 4; n++) expect((await ask(gateway, chat('m'))).status).toBe(200)
    expect(gateway.logged).toContain('telemetry: 3 spans were lost: the collector takes them too slowly')
    collector.react({ status: 200 })
    await gateway.close()
    expect(collector.exports).toHaveLength(1)
    expect(gateway.logged.join()).toMatch(/6 spans|9 spans/)
  })

  it('tells of a collector that is not there', async () => {
    const gateway = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' })
    await ask(gateway, chat('m'))
    await gateway.close()
    expect(gateway.logged).toContain('telemetry: 3 spans were lost: the collector could not be reached')
  })

  it('makes no trace without a collector', async () => {
    const gateway = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: '' })
    await ask(gateway, chat('m'))
    await gateway.close()
    expect(collector.exports).toEqual([])
  })

  it.each([
    [{ OTEL_SDK_DISABLED: 'true' }],
    [{ OTEL_TRACES_EXPORTER: 'none' }],
    [{ OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }],
  ])('is off with %j', async (more) => {
    const gateway = await start(more)
    await ask(gateway, chat('m'))
    await gateway.close()
    expect(collector.exports).toEqual([])
  })

  it('says at the start that no gRPC is spoken', async () => {
    const { logged } = await start({ OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' })
    expect(logged).toEqual([expect.stringMatching(/gRPC is not spoken here, so no traces are exported/)])
  })
})

describe('The settings of the export', () => {
  const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector.lan:4318/otel/' }

  function read(env: Record<string, string>) {
    const warnings: string[] = []
    return { warnings, ...readOtlpSettings(env, (problem) => void warnings.push(problem)) }
  }

  it('have an address for all, to which a path is added, or one for traces alone', () => {
    const own = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://traces.lan/here?project=7' }
    expect(read(endpoint).traces?.url).toBe('http://collector.lan:4318/otel/v1/traces')
    expect(read({ ...endpoint, ...own }).traces?.url).toBe('https://traces.lan/here?project=7')
    expect(read({ OTEL_TRACES_EXPORTER: 'otlp' }).traces?.url).toBe('http://localhost:4318/v1/traces')
    expect(read({}).traces).toBeUndefined()
  })

  it.each([
    [{}, false],
    [{ OTEL_EXPORTER_OTLP_PROTOCOL: 'HTTP/JSON' }, true],
    [{ OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json', OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/protobuf' }, false],
    [{ OTEL_EXPORTER_OTLP_PROTOCOL: secret }, false],
  ])('choose protobuf unless JSON is asked for: %j', (env, isJSON) => {
    expect(read({ ...endpoint, ...env }).traces?.isJSON).toBe(isJSON)
  })

  it('have headers, of which those for traces count alone', () => {
    const env = { ...endpoint, OTEL_EXPORTER_OTLP_HEADERS: 'a=1, Authorization=Basic%20abc==' }
    expect(read(env).traces?.headers).toEqual({ a: '1', authorization: 'Basic abc==' })
    expect(read({ ...env, OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'b=2' }).traces?.headers).toEqual({ b: '2' })
  })

  it.each([
    { OTEL_EXPORTER_OTLP_HEADERS: `bad header=${secret}` },
    { OTEL_EXPORTER_OTLP_HEADERS: `x=${secret}%0d%0ay: z` },
    { OTEL_EXPORTER_OTLP_HEADERS: secret },
    { OTEL_EXPORTER_OTLP_TIMEOUT: `${secret}s` },
    { OTEL_EXPORTER_OTLP_COMPRESSION: `${secret}` },
    { OTEL_EXPORTER_OTLP_PROTOCOL: secret },
    { OTEL_EXPORTER_OTLP_ENDPOINT: `https://user:${secret}@collector.lan` },
    { OTEL_TRACES_SAMPLER: secret },
    { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: secret },
    { OTEL_RESOURCE_ATTRIBUTES: secret },
    { OTEL_TRACES_EXPORTER: `otlp,${secret}` },
  ])('say what is wrong with them, and never how it reads: %j', (env) => {
    const { warnings } = read({ ...endpoint, ...env })
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toMatch(/^OTEL_\w+: /)
    expect(warnings[0]).not.toContain(secret)
  })

  it.each([
    ['always_off', undefined, 0, 0, 0],
    ['always_on', undefined, 100, 100, 100],
    ['traceidratio', '0.25', 25, 25, 25],
    ['parentbased_traceidratio', '0.25', 25, 0, 100],
    ['parentbased_always_off', undefined, 0, 0, 100],
    [undefined, undefined, 100, 0, 100],
  ])('keep by %s %s a share of the traces', (name, ratio, root, unsampled, sampled) => {
    const env = { OTEL_TRACES_SAMPLER: name, OTEL_TRACES_SAMPLER_ARG: ratio }
    const { sampler } = readOtlpSettings(env, () => {})
    const ids = Array.from({ length: 100 }, (_, n) =>
      Math.floor(((n + 0.5) / 100) * 2 ** 52)
        .toString(16)
        .padStart(32, '0'),
    )
    const kept = (parent: boolean | undefined) => ids.filter((id) => sampler(id, parent)).length
    expect([kept(undefined), kept(false), kept(true)]).toEqual([root, unsampled, sampled])
  })
})
