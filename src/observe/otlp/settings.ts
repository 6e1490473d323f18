import type { Environment } from '../../config/secrets.ts'
import { wantsLatestNames } from '../latest-names.ts'
import { readSampler, type Sampler } from './sampler.ts'
import { readResource, readSignal, type SignalSettings } from './signal.ts'
import { readCount, type Warn } from './variables.ts'

/** How spans are gathered. */
export interface BatchSettings {
  /** Milliseconds that they wait for others. */
  readonly delay: number
  /** Spans of one request to the collector. */
  readonly most: number
  /** Spans that may wait: no more are kept, and no request waits for them. */
  readonly waiting: number
}

export interface OtlpSettings {
  /** Undefined: not exported. */
  readonly traces: SignalSettings | undefined
  readonly batches: BatchSettings
  /** Attributes of whatever exports. */
  readonly resource: Readonly<Record<string, string>>
  readonly sampler: Sampler
  /** Whether `traceparent` is read and sent on. */
  readonly propagates: boolean
  /** Whether the names are those of the newest conventions for generative AI. */
  readonly latestNames: boolean
}

/**
 * Reads OpenTelemetry's own variables. What they say wrong is told to `warn` and ignored, as its specification has it,
 * never a reason not to start. https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 */
export function readOtlpSettings(env: Environment, warn: Warn): OtlpSettings {
  const read = (name: string) => env[name]?.trim() || undefined
  const propagators = (read('OTEL_PROPAGATORS') ?? 'tracecontext').split(',').map((name) => name.trim())
  return {
    traces: readSignal('TRACES', env, warn),
    batches: readBatches(env, warn),
    resource: readResource(env, warn),
    sampler: readSampler(env, warn),
    propagates: propagators.includes('tracecontext'),
    latestNames: wantsLatestNames(env),
  }
}

function readBatches(env: Environment, warn: Warn): BatchSettings {
  const waiting = readCount('OTEL_BSP_MAX_QUEUE_SIZE', 2_048, env, warn)
  return {
    delay: readCount('OTEL_BSP_SCHEDULE_DELAY', 5_000, env, warn),
    most: Math.min(waiting, readCount('OTEL_BSP_MAX_EXPORT_BATCH_SIZE', 512, env, warn)),
    waiting,
  }
}
