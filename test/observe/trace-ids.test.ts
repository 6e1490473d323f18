import { beforeEach, describe, expect, it } from 'vitest'
import { ask, chat } from '../support/ask.ts'
import { fakeCollector } from '../support/collector.ts'
import { duringTests } from '../support/during-tests.ts'
import { gatewayStarter, serveUpstreams } from '../support/gateway.ts'
import { chatAnswer, type FakeUpstream, json } from '../support/upstream.ts'

const { up, other } = serveUpstreams({ up: json(200, chatAnswer('hello')), other: json(200, chatAnswer('hello')) })
const collector = duringTests(fakeCollector)
const serve = gatewayStarter()

beforeEach(() => collector.clear())

const traceId = '0af7651916cd43dd8448eb211c80319c'
const parent = { traceparent: `00-${traceId}-b7ad6b7169203331-01`, tracestate: 'vendor=1,other=2' }

/** A gateway whose provider `up` may be told of traces, unlike `other`. */
async function start(env: Record<string, string> = {}, trace = true) {
  const type = 'openai-compatible'
  const config = {
    providers: { up: { type, baseURL: up.url, trace }, other: { type, baseURL: other.url } },
    models: { m: 'up/m', untold: 'other/m' },
  }
  const lines: Record<string, unknown>[] = []
  const write = (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>)
  const gateway = await serve(config, { env, output: { write, format: 'json' } })
  return { gateway, traceIds: () => lines.filter(({ msg }) => msg === 'request').map((line) => line.trace_id) }
}

const exporting = () => ({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: collector.url, OTEL_BSP_SCHEDULE_DELAY: '10' })

/** The requests to a model, without those for lists. */
const askedOf = ({ seen }: FakeUpstream) => seen.filter(({ method }) => method === 'POST')

describe('The log’s line of a request', () => {
  it('has the id of its trace, the client’s or the gateway’s own', async () => {
    const { gateway, traceIds } = await start(exporting())
    await ask(gateway, chat('m'), { headers: parent })
    await ask(gateway, chat('m'))
    const spans = await collector.spans(6)
    const [first, second] = traceIds()
    expect(first).toBe(traceId)
    expect(second).toMatch(/^[\da-f]{32}$/)
    expect(new Set(spans.map((span) => span.traceId))).toEqual(new Set([first, second]))
  })

  it('has none where nobody is told of traces', async () => {
    const { gateway, traceIds } = await start({}, false)
    await ask(gateway, chat('m'), { headers: parent })
    expect(traceIds()).toEqual([undefined])
  })
})

describe('A provider that may know of traces, of a gateway that exports none,', () => {
  it('gets the client’s own headers, so that its spans lie below the client’s', async () => {
    const { gateway, traceIds } = await start()
    await ask(gateway, chat('m'), { headers: { ...parent, baggage: 'user=7' } })
    expect(askedOf(up)[0]?.headers).toMatchObject(parent)
    expect(askedOf(up)[0]?.headers).not.toHaveProperty('baggage')
    expect(traceIds()).toEqual([traceId])
  })

  it('gets none where the client has none, or one that is none', async () => {
    const { gateway } = await start()
    await ask(gateway, chat('m'))
    await ask(gateway, chat('m'), { headers: { traceparent: 'nonsense', tracestate: 'vendor=1' } })
    expect(askedOf(up)).toHaveLength(2)
    for (const { headers } of askedOf(up)) {
      for (const name of Object.keys(parent)) expect(headers).not.toHaveProperty(name)
    }
  })

  it('gets none if nothing is to be propagated, and no other provider does', async () => {
    const silent = await start({ OTEL_PROPAGATORS: 'none' })
    await ask(silent.gateway, chat('m'), { headers: parent })
    const { gateway } = await start()
    await ask(gateway, chat('untold'), { headers: parent })
    for (const { headers } of [...askedOf(up), ...askedOf(other)]) {
      for (const name of Object.keys(parent)) expect(headers).not.toHaveProperty(name)
    }
    expect([askedOf(up).length, askedOf(other).length]).toEqual([1, 1])
  })
})
