import { beforeEach, describe, expect, it } from 'vitest'
import type { Config } from '../../src/config/schema.ts'
import { chat, until } from '../support/ask.ts'
import { type Both, runtimes, startBoth } from '../support/both.ts'
import { fakeCollector, type Span } from '../support/collector.ts'
import { duringTests } from '../support/during-tests.ts'
import { serveUpstreams } from '../support/gateway.ts'
import { chatAnswer, chatFrames, type FakeUpstream, json, type Seen, stream } from '../support/upstream.ts'

const { up, spare } = serveUpstreams({ up: json(200, chatAnswer('hello')), spare: json(200, chatAnswer('spare')) })
const collector = duringTests(fakeCollector)
const providerKey = 'sk-provider-0123456789'
const collectorKey = 'secret-of-the-collector'

function configOf(): Config {
  const type = 'openai-compatible'
  return {
    providers: {
      up: { type, baseURL: up.url, apiKey: 'env:PROVIDER_KEY', trace: true },
      spare: { type, baseURL: spare.url },
    },
    models: {
      m: { deployments: [{ model: 'up/m', price: { input: 1, output: 2 } }], fallbacks: ['spare/m'] },
      untraced: 'spare/m',
    },
    retries: 0,
  }
}

function envOf(protocol: string, more: Record<string, string> = {}): Record<string, string> {
  return {
    OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
    PROVIDER_KEY: providerKey,
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_HEADERS: `x-api-key=${collectorKey}`,
    OTEL_BSP_SCHEDULE_DELAY: '20',
    OTEL_EXPORTER_OTLP_TIMEOUT: '2000',
    ...more,
  }
}

beforeEach(() => collector.clear())

const traceId = '0af7651916cd43dd8448eb211c80319c'
const parentId = 'b7ad6b7169203331'
const parentOf = (flags: string) => ({ traceparent: `00-${traceId}-${parentId}-${flags}`, tracestate: 'vendor=1' })

function open(on: Both, runtime: 'node' | 'workerd', body: object, more: RequestInit = {}): Promise<Response> {
  return fetch(`${on.addresses[runtime]}/chat/completions`, {
    method: 'POST',
    body: JSON.stringify(body),
    ...more,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${on.key}`, ...more.headers },
  })
}

/** The headers of the requests to a model, without those for lists. */
function askedOf({ seen }: FakeUpstream): readonly Seen['headers'][] {
  return seen.filter(({ method }) => method === 'POST').map(({ headers }) => headers)
}

/** Checks that spans are one below the other, and returns them from the outermost on. */
function chain(spans: readonly Span[]): readonly Span[] {
  const [outer] = spans.filter(({ parentSpanId }) => !spans.some(({ spanId }) => spanId === parentSpanId))
  const call = spans.find(({ parentSpanId }) => parentSpanId === outer?.spanId)
  const attempts = spans.filter(({ parentSpanId }) => parentSpanId === call?.spanId)
  expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1)
  const all = [outer, call, ...attempts].filter((span) => span !== undefined)
  expect(all).toHaveLength(spans.length)
  return all
}

describe.each([
  { protocol: 'http/protobuf', type: 'application/x-protobuf' },
  { protocol: 'http/json', type: 'application/json' },
])('By $protocol,', ({ protocol, type }) => {
  const name = protocol.replace('/', '-')
  const both = duringTests(() => startBoth(`traces-${name}`, configOf(), envOf(protocol), { lists: true }))
  /** The newest names, and only what clients want kept. */
  const other = duringTests(() =>
    startBoth(
      `traces-other-${name}`,
      configOf(),
      envOf(protocol, {
        OTEL_SEMCONV_STABILITY_OPT_IN: 'gen_ai_latest_experimental',
        OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
        OTEL_TRACES_SAMPLER_ARG: '0',
        OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
        OTEL_SERVICE_NAME: 'front door',
        OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment=a%20test,team=red',
      }),
      { lists: true },
    ),
  )

  describe.each(runtimes)('a trace, on %s,', (runtime) => {
    it('has a span for the request, one for the call of a model, and one for each attempt', async () => {
      const asked = chat('m', { temperature: 0.5, max_tokens: 9, seed: 7, stop: ['END'] })
      const { headers } = await both.ask(runtime, asked)
      const [request, call, attempt] = chain(await collector.spans(3))
      expect(request).toMatchObject({
        ...{ name: 'POST /v1/chat/completions', kind: 2, traceId: expect.stringMatching(/^[\da-f]{32}$/) },
        attributes: {
          'http.request.method': 'POST',
          'http.route': '/v1/chat/completions',
          'http.response.status_code': 200,
          'samewire.request_id': headers.get('x-request-id'),
          'samewire.key': 'SAMEWIRE_KEY',
          'samewire.cost': 0.000007,
        },
      })
      expect(call).toMatchObject({ name: 'chat m', kind: 3 })
      expect(call?.attributes).toEqual({
        'gen_ai.operation.name': 'chat',
        'gen_ai.system': 'openai-compatible',
        'server.address': '127.0.0.1',
        'server.port': Number(new URL(up.url).port),
        'gen_ai.request.model': 'm',
        'gen_ai.response.model': 'm',
        'gen_ai.response.id': 'chatcmpl-fake',
        'gen_ai.response.finish_reasons': ['stop'],
        'gen_ai.request.max_tokens': 9,
        'gen_ai.request.temperature': 0.5,
        'gen_ai.request.seed': 7,
        'gen_ai.request.stop_sequences': ['END'],
        'gen_ai.usage.input_tokens': 3,
        'gen_ai.usage.output_tokens': 2,
        'samewire.deployment': 'up/m',
      })
      expect(attempt).toMatchObject({ name: 'attempt up/m', kind: 3, attributes: { 'samewire.deployment': 'up/m' } })
      for (const span of [request, call, attempt]) expect(span?.status).toBeUndefined()
    })

    it('holds nothing of what was said, and no secret', async () => {
      const secret = 'the words of the client'
      await both.ask(runtime, { ...chat('m'), messages: [{ role: 'user', content: secret }] })
      await collector.spans(3)
      const [sent] = collector.exports
      expect(sent?.headers).toMatchObject({ 'x-api-key': collectorKey, 'content-type': type })
      for (const one of [secret, 'hello', both.key, providerKey, collectorKey]) expect(sent?.text).not.toContain(one)
    })

    it('lasts as long as a stream', async () => {
      const [role = '', hello = '', ...rest] = chatFrames('hello')
      const { promise: enough, resolve: end } = Promise.withResolvers<void>()
      up.script(async (_, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' }).write(role + hello)
        await enough
        response.end(rest.join(''))
      })
      const response = await open(both, runtime, chat('m', { stream: true }))
      const began = performance.now()
      await new Promise((resolve) => setTimeout(resolve, 100))
      expect(collector.exports).toEqual([])
      const lasted = performance.now() - began
      end()
      await response.text()
      for (const { ms, status } of chain(await collector.spans(3))) {
        expect(ms).toBeGreaterThan(lasted - 10)
        expect(status).toBeUndefined()
      }
    })

    it('has the id of a stream, and why each of its choices ended', async () => {
      const about = { id: 'chatcmpl-7', object: 'chat.completion.chunk', created: 1_700_000_000, model: 'm' }
      const frame = (...choices: object[]) => `data: ${JSON.stringify({ ...about, choices })}\n\n`
      const choice = (index: number, content: string, finish_reason: string | null = null) => ({
        index,
        delta: { content },
        finish_reason,
      })
      up.script(
        stream([
          frame(choice(0, 'one'), choice(1, 'two')),
          frame(choice(0, ' more')),
          frame(choice(1, '', 'length')),
          frame(choice(0, '', 'tool_calls')),
          'data: [DONE]\n\n',
        ]),
      )
      await both.ask(runtime, chat('m', { stream: true, n: 2 }))
      const [, call] = chain(await collector.spans(3))
      expect(call?.attributes).toMatchObject({
        'gen_ai.response.id': 'chatcmpl-7',
        'gen_ai.response.finish_reasons': ['tool_calls', 'length'],
      })
    })

    it('has no reason of a stream that broke before it gave one', async () => {
      const [role = '', hello = ''] = chatFrames('hello')
      up.script(stream([role, hello]))
      await both.ask(runtime, chat('m', { stream: true }))
      const [, call] = chain(await collector.spans(3))
      expect(call?.attributes).not.toHaveProperty('gen_ai.response.finish_reasons')
    })

    it('tells of a stream that broke', async () => {
      const [role = '', hello = ''] = chatFrames('hello')
      up.script(stream([role, hello]))
      await both.ask(runtime, chat('m', { stream: true }))
      const spans = chain(await collector.spans(3))
      expect(spans.map(({ status }) => status)).toEqual([{ code: 2 }, { code: 2 }, { code: 2 }])
      expect(spans[0]?.attributes).toMatchObject({
        ...{ 'http.response.status_code': 200, 'samewire.outcome': 'cut', 'error.type': 'upstream_stream_truncated' },
      })
    })

    it('tells which attempts failed before one succeeded', async () => {
      up.script(json(500, { error: { message: 'oops' } }))
      await both.ask(runtime, chat('m'))
      const [request, call, failed, last] = chain(await collector.spans(4))
      expect(request?.attributes['samewire.reason']).toBe('upstream_error')
      expect(call).toMatchObject({ attributes: { 'samewire.deployment': 'spare/m' } })
      expect(call?.status).toBeUndefined()
      expect(failed).toMatchObject({
        ...{ name: 'attempt up/m', status: { code: 2 } },
        attributes: {
          'samewire.failure': 'upstream',
          'error.type': 'upstream_error',
          'http.response.status_code': 500,
        },
      })
      expect(last).toMatchObject({ name: 'attempt spare/m', attributes: { 'samewire.why': 'fallback' } })
      expect(last?.status).toBeUndefined()
    })

    it('tells of a call that failed', async () => {
      up.script(json(500, { error: { message: 'oops' } }))
      spare.script(json(503, { error: { message: 'busy' } }))
      const { status } = await both.ask(runtime, chat('m'))
      const spans = chain(await collector.spans(4))
      expect(status).toBeGreaterThanOrEqual(500)
      for (const span of spans) expect(span.status).toEqual({ code: 2 })
    })

    it('is one span for a refusal, which is the client’s failure', async () => {
      await open(both, runtime, chat('m'), { headers: { authorization: 'Bearer wrong' } })
      const [span, ...others] = await collector.spans(1)
      expect(others).toEqual([])
      expect(span).toMatchObject({
        name: 'POST /v1/chat/completions',
        attributes: { 'http.response.status_code': 401, 'samewire.reason': 'key_unknown' },
      })
      expect(span?.status).toBeUndefined()
    })

    it('is one span for what no model is asked for', async () => {
      await fetch(`${both.addresses[runtime]}/models`, { headers: { authorization: `Bearer ${both.key}` } })
      expect(await collector.spans(1)).toMatchObject([{ name: 'GET /v1/models', kind: 2 }])
    })

    it('goes on from the client’s, and to providers that may know', async () => {
      await open(both, runtime, chat('m'), { headers: parentOf('01') })
      const [request, , attempt] = chain(await collector.spans(3))
      expect(request).toMatchObject({ traceId, parentSpanId: parentId, traceState: 'vendor=1', flags: 0x301 })
      expect(askedOf(up)[0]).toMatchObject({
        traceparent: `00-${traceId}-${attempt?.spanId}-01`,
        tracestate: 'vendor=1',
      })
    })

    it('goes to no other provider, not even the client’s', async () => {
      await open(both, runtime, chat('untraced'), { headers: { ...parentOf('01'), baggage: 'user=7' } })
      await collector.spans(3)
      const [headers] = askedOf(spare)
      expect(headers).toBeDefined()
      for (const name of ['traceparent', 'tracestate', 'baggage']) expect(headers).not.toHaveProperty(name)
    })

    it.each([
      'nonsense',
      `00-${'0'.repeat(32)}-${parentId}-01`,
      `ff-${traceId}-${parentId}-01`,
      `00-${traceId}-${parentId}-01-more`,
    ])('begins anew where the client’s is none: %s', async (traceparent) => {
      await open(both, runtime, chat('m'), { headers: { traceparent } })
      const [request] = chain(await collector.spans(3))
      expect(request?.parentSpanId).toBeUndefined()
      expect(request?.traceId).not.toBe(traceId)
    })

    it('is kept or not as the client has decided', async () => {
      await open(both, runtime, chat('m'), { headers: parentOf('00') })
      expect(askedOf(up)[0]?.traceparent).toMatch(new RegExp(`^00-${traceId}-[\\da-f]{16}-00$`))
      await open(other, runtime, chat('m'))
      expect(askedOf(up)[1]?.traceparent).toMatch(/-00$/)
      await open(other, runtime, chat('m'), { headers: parentOf('01') })
      const spans = await collector.spans(3)
      expect(chain(spans).map((span) => span.traceId)).toEqual([traceId, traceId, traceId])
    })

    it('has the newest names if they are asked for, and what it is told to say of the gateway', async () => {
      up.script(stream(chatFrames('hello')))
      await open(other, runtime, chat('m', { stream: true, reasoning_effort: 'low' }), {
        headers: parentOf('01'),
      }).then((response) => response.text())
      const [, call] = chain(await collector.spans(3))
      expect(call?.attributes).toMatchObject({
        'gen_ai.provider.name': 'openai-compatible',
        'gen_ai.request.stream': true,
        'gen_ai.request.reasoning.level': 'low',
        'gen_ai.response.time_to_first_chunk': expect.any(Number),
      })
      expect(call?.attributes).not.toHaveProperty('gen_ai.system')
      const [sent] = collector.exports
      expect(sent?.headers['content-encoding']).toBe('gzip')
      expect(JSON.parse(sent?.text ?? '').resourceSpans[0].resource.attributes).toEqual([
        { key: 'service.name', value: { stringValue: 'front door' } },
        { key: 'deployment.environment', value: { stringValue: 'a test' } },
        { key: 'team', value: { stringValue: 'red' } },
      ])
    })
  })

  // A Worker learns that its client has left only when it next writes to it.
  describe('a trace on node', () => {
    it('ends where the client leaves, which is no failure', async () => {
      const [role = '', hello = ''] = chatFrames('hello')
      up.script(stream([role, hello], 'silence'))
      const leave = new AbortController()
      const response = await open(both, 'node', chat('m', { stream: true }), { signal: leave.signal })
      await response.body?.getReader().read()
      leave.abort()
      const [request, ...others] = chain(await collector.spans(3))
      expect(request?.attributes['samewire.outcome']).toBe('gone')
      for (const span of [request, ...others]) expect(span?.status).toBeUndefined()
    })
  })

  // Last, as what one of them waits for comes later.
  describe.each(runtimes)('a request, on %s,', (runtime) => {
    it('waits for no collector, whether that hangs, fails or asks to wait', async () => {
      for (const reaction of [undefined, { status: 503 }, { status: 429, headers: { 'retry-after': '60' } }]) {
        collector.react(reaction)
        const before = collector.exports.length
        await both.ask(runtime, chat('m'))
        await until(() => collector.exports.length > before)
        expect((await both.ask(runtime, chat('m'))).status).toBe(200)
      }
    })
  })
})
