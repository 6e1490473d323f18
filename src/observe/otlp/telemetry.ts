import type { Observer } from '../../core/report.ts'
import type { Services } from '../../core/services.ts'
import { contexts, isSampled } from './context.ts'
import { jsonBatches } from './json/spans.ts'
import { namesOf } from './names.ts'
import { protobufBatches } from './protobuf/spans.ts'
import { SpanQueue } from './queue.ts'
import { send } from './send.ts'
import type { OtlpSettings } from './settings.ts'
import type { SignalSettings } from './signal.ts'
import { spanCount, spansOf } from './spans.ts'
import { Troubles } from './troubles.ts'

export interface TelemetryOptions {
  readonly settings: OtlpSettings
  readonly services: Pick<Services, 'clock' | 'random' | 'transport' | 'log'>
  /** Whether a provider is told of traces. */
  readonly passesOn: boolean
  /** Whether work goes on between requests. */
  readonly background: boolean
}

/** An observer that exports what it is told. */
export interface Telemetry {
  readonly observer: Observer
  /** Sends what is left; takes `ms` at most. */
  close(ms: number): Promise<void>
}

export function createTelemetry({ settings, services, passesOn, background }: TelemetryOptions): Telemetry {
  const { traces, sampler, propagates } = settings
  const contextOf = contexts({
    ...{ random: services.random, sampler, propagates, makesSpans: traces !== undefined },
    passesOn: passesOn && propagates,
  })
  const began: Observer['began'] = ({ header, trace }) => {
    const context = contextOf(header)
    if (context) trace.context = context
  }
  if (!traces) return { observer: { began, over() {} }, close: async () => {} }
  const queue = createQueue(traces, settings, services)
  const write = spansOf(namesOf(settings.latestNames))
  const observer: Observer = {
    began,
    over(report) {
      const { context } = report.trace
      if (!context || !isSampled(context)) return
      queue.add(spanCount(report), (next) => write(report, context, next))
      if (background) queue.start()
    },
    ...(!background && { settle: () => queue.settle() }),
  }
  return { observer, close: (ms) => queue.close(ms) }
}

function createQueue(
  traces: SignalSettings,
  { resource, batches: settings }: OtlpSettings,
  services: TelemetryOptions['services'],
) {
  const { clock, random, log } = services
  const batches = traces.isJSON ? jsonBatches : protobufBatches
  return new SpanQueue({
    ...{ clock, random, batches: settings, troubles: new Troubles('spans', log, clock) },
    batch: batches(resource),
    send: (body) => send(body, traces, services),
  })
}
