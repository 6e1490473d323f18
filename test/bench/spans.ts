import type { Deployment } from '../../src/core/catalog.ts'
import { systemClock } from '../../src/core/clock.ts'
import type { RequestReport } from '../../src/core/report.ts'
import { sourceOf } from '../../src/core/sources.ts'
import type { Trace } from '../../src/core/trace.ts'
import type { Transport } from '../../src/core/transport.ts'
import { readOtlpSettings } from '../../src/observe/otlp/settings.ts'
import { createTelemetry } from '../../src/observe/otlp/telemetry.ts'
import { median } from './statistics.ts'

/**
 * `npm run bench:spans`: microseconds of CPU that the traces of a request cost: the trace itself, its spans as protobuf, and
 * their part of the batches, which go to nobody. The first line is the measurement's own cost, included in the others.
 */
const turns = 5_000
const rounds = 12

const settings = readOtlpSettings({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' }, () => {})
let sentBytes = 0
const transport: Transport = async ({ body }) => {
  sentBytes += body.reduce((sum, { length }) => sum + length, 0)
  return { status: 200, headers: {}, body: sourceOf([]) }
}

const deployment = {
  provider: { definition: { type: 'openai' }, settings: { baseURL: 'https://api.openai.com/v1' } },
  model: 'gpt-5-mini',
  label: 'openai/gpt-5-mini',
} as Deployment
const plan = { requested: 'gpt-5-mini', targets: [{ deployment, why: 'requested' }] } as unknown as Trace['plan']

function reportOf(trace: Trace): RequestReport {
  return {
    ...{ requestId: 'req_0123456789abcdef0123456789abcdef', method: 'POST', path: '/chat/completions' },
    ...{ operation: 'chat', model: 'gpt-5-mini', key: 'TEAM_KEY', user: undefined, status: 200, streams: true },
    ...{ asked: { temperature: 0.7, max_tokens: 256, stream: true }, outcome: 'done', failure: undefined, trace },
    ...{ served: deployment, started: systemClock.now(), firstMs: 120.25, ms: 840.5, cost: 421_000, bytesIn: 2048 },
    tokens: { input: 412, output: 96, cached: 0, reasoning: 0 },
  }
}

async function measured(attempts: number | undefined, more: Record<string, string> = {}): Promise<number> {
  const services = { clock: systemClock, random: Math.random, transport, log() {} }
  const given =
    Object.keys(more).length > 0
      ? readOtlpSettings({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a', ...more }, () => {})
      : settings
  const { observer, close } = createTelemetry({ settings: given, services, passesOn: false, background: true })
  const header = () => undefined
  const times: number[] = []
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage()
    for (let turn = 0; turn < turns; turn++) {
      const trace: Trace = { attempts: [], ...(plan && { plan }) }
      const report = reportOf(trace)
      if (attempts === undefined) continue
      observer.began?.({ requestId: report.requestId, method: 'POST', path: report.path, header, started: 0, trace })
      for (let n = 0; n < (attempts ?? 0); n++) {
        const span = trace.context?.nextSpan()
        trace.attempts.push({ deployment: deployment.label, why: 'requested', at: report.started, ms: 120, span })
      }
      observer.over(report)
      // Batches are sent in turns of the event loop, whose work counts too.
      if (turn % 100 === 99) await new Promise((done) => setImmediate(done))
    }
    const { user, system } = process.cpuUsage(before)
    times.push((user + system) / turns)
  }
  await close(1_000)
  return median(times)
}

for (const [what, attempts, env] of [
  ['nothing at all', undefined, {}],
  ['two spans (no attempt)', 0, {}],
  ['three spans', 1, {}],
  ['four spans (a fallback)', 2, {}],
  ['three spans as JSON', 1, { OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' }],
  ['none (not sampled)', 1, { OTEL_TRACES_SAMPLER: 'always_off' }],
] as const) {
  const before = sentBytes
  const cost = await measured(attempts, env)
  const bytes = Math.round((sentBytes - before) / (turns * rounds))
  console.log(`${what.padEnd(26)} ${cost.toFixed(2).padStart(6)} µs a request, ${bytes} bytes of it sent`)
}
