import { describe, expect, it } from 'vitest'
import { registry } from '../../providers/index.ts'
import { buildCatalog } from '../../src/config/catalog.ts'
import type { RequestReport } from '../../src/core/report.ts'
import type { Trace } from '../../src/core/trace.ts'
import type { TraceContext } from '../../src/core/trace-context.ts'
import { hideKeys } from '../../src/observe/keys.ts'
import { jsonBatches } from '../../src/observe/otlp/json/spans.ts'
import { namesOf } from '../../src/observe/otlp/names.ts'
import { protobufBatches } from '../../src/observe/otlp/protobuf/spans.ts'
import type { Batches, SpanBatch } from '../../src/observe/otlp/span-batch.ts'
import { spansOf } from '../../src/observe/otlp/spans.ts'
import { readTraces } from '../support/otlp-protobuf.ts'

const resource = { 'service.name': 'samewire', équipe: 'réd \ud83d\ude00' }
const providers = { lab: { type: 'openai-compatible', baseURL: 'https://lab.example/v1' } } as const
const catalog = buildCatalog({ providers, models: { m: { deployments: ['lab/m'] } } }, registry, {})
const [deployment] = catalog.models.get('m')?.deployments ?? []
if (!deployment) throw new Error('There is no deployment.')
const plan = { requested: 'm', targets: [{ deployment, why: 'requested' }], skipped: [] } as unknown as Trace['plan']
let spans = 0

function contextOf(more: Partial<TraceContext> = {}): TraceContext {
  const [traceId, spanId] = ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331']
  const nextSpan = () => (++spans).toString(16).padStart(16, '0')
  return { traceId, spanId, parentId: undefined, state: undefined, flags: 1, nextSpan, ...more }
}

function reportOf(more: Partial<RequestReport> = {}, attempts: Trace['attempts'] = []): RequestReport {
  const [attempt] = [
    { deployment: deployment?.label ?? '', why: 'requested' as const, at: 1_764_000_000_000.5, ms: 120 },
  ]
  const trace: Trace = { attempts: attempts.length > 0 ? attempts : [attempt], ...(plan && { plan }) }
  return {
    ...{ requestId: 'req_1', method: 'POST', path: '/chat/completions', operation: 'chat', model: 'm', key: 'TEAM' },
    ...{ user: undefined, status: 200, streams: true, outcome: 'done', failure: undefined, trace, served: deployment },
    ...{ asked: { temperature: 0.7, max_tokens: 256 }, started: 1_764_000_000_000.25, firstMs: 120.25, ms: 840.5 },
    ...{ cost: 421_000, bytesIn: 2_048, tokens: { input: 412, output: 96, cached: 0, reasoning: 0 }, ...more },
  }
}

/** All spans of the requests, as JSON has them. */
function readBy(batches: Batches, write: (next: () => SpanBatch) => void): unknown {
  spans = 0
  const batch = batches(resource)()
  write(() => batch)
  const bytes = batch.take()
  const read = batches === jsonBatches ? JSON.parse(new TextDecoder().decode(bytes)) : readTraces(bytes)
  // As a number, -0 and what has no fraction are the same in both.
  return JSON.parse(JSON.stringify(read))
}

function expectAlike(reports: readonly RequestReport[], context: TraceContext = contextOf()): unknown {
  const write = spansOf(namesOf(true))
  const [json, protobuf] = [jsonBatches, protobufBatches].map((batches) =>
    readBy(batches, (next) => {
      for (const report of reports) write(report, context, next)
    }),
  )
  expect(protobuf).toEqual(json)
  return protobuf
}

describe('Spans in protobuf say the same as in JSON', () => {
  it.each([
    ['of a call', {}],
    ['of a client that broke off', { outcome: 'cut', status: 200 }],
    ['of a failure', { outcome: 'failed', status: 502, served: undefined }],
    ['of no call', { operation: undefined }],
    ['of a strange method and path', { method: 'PROPFIND', path: '/é/{name}' }],
    ['of negative, large and broken numbers', { asked: { seed: -7, n: 2 ** 52 + 1, max_tokens: 1.5, top_p: -0.25 } }],
    ['of a number of ten bytes', { asked: { seed: Number.MIN_SAFE_INTEGER } }],
    ['of lists', { asked: { stop: ['END', 'é', '\ud83d\ude00', '\ud800'] } }],
    ['of a list of one long text', { asked: { stop: 'é'.repeat(300) } }],
    ['of half characters', { model: 'a\ud800b' }],
    ['of names of all lengths', { model: 'x'.repeat(150), key: 'y'.repeat(199) }],
    ['of what looks like a key', { model: 'sk-proj-0123456789abcdef0123', key: `${'z'.repeat(300)}` }],
    ['of an id', { conclusion: { id: 'chatcmpl-é', reasons: ['stop', 'length'] } }],
    ['of an end before the beginning', { ms: -5 }],
  ] as const)('%s', (_what, more) => {
    expectAlike([reportOf(more as Partial<RequestReport>), reportOf(more as Partial<RequestReport>)])
  })

  it('of a client’s trace', () => {
    const state = 'vendor=1'
    expectAlike([reportOf()], contextOf({ parentId: '00000000000000ff', state, flags: 3 }))
    expectAlike([reportOf()], contextOf({ state: `vendor=${'x'.repeat(8_000)}` }))
  })

  it('longer than a length of two bytes tells', () => {
    const asked = { stop: Array.from({ length: 16 }, (_, n) => `${n}${'é'.repeat(190)}`) }
    expectAlike([reportOf({ asked })], contextOf({ state: `vendor=${'x'.repeat(8_180)}` }))
  })

  it('of a name that is a key of the gateway’s, as soon as it is known for one', () => {
    const model = 'the word that opens the door'
    const report = reportOf({ model, asked: { stop: [model] } })
    expect(JSON.stringify(expectAlike([report]))).toContain(model)
    hideKeys([model])
    expect(JSON.stringify(expectAlike([report]))).not.toContain(model)
  })

  it('in batches larger than those before', () => {
    expectAlike(
      Array.from({ length: 2_000 }, (_, n) =>
        reportOf({ requestId: `req_${n}`, started: 1_764_000_000_000 + n * 1e5 }),
      ),
    )
  })

  it('where one was begun and never ended', () => {
    const [json, protobuf] = [jsonBatches, protobufBatches].map((batches) =>
      readBy(batches, (next) => {
        const context = contextOf()
        const head = {
          context,
          id: context.spanId,
          parent: undefined,
          start: 1.764e12,
          end: 1.765e12,
          kind: 3,
          what: 'a',
        } as const
        next()
          .begin({ ...head, of: 'lost' })
          .text('a', 'b')
        next()
          .begin({ ...head, of: 'kept' })
          .text('a', 'c')
        next().end(true)
        next()
          .begin({ ...head, of: 'lost' })
          .text('a', 'd')
      }),
    )
    expect(protobuf).toEqual(json)
    expect(JSON.stringify(protobuf)).not.toMatch(/lost|"b"|"d"/)
    expect(JSON.stringify(protobuf)).toContain('"a kept"')
  })
})
