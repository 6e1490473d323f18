import type { Environment } from '../../config/secrets.ts'
import { wantsLatestNames } from '../latest-names.ts'
import { readResource, readSignal, type SignalSettings } from './signal.ts'
import { readCount, type Warn } from './variables.ts'

export interface MetricsSettings {
  readonly signal: SignalSettings
  readonly resource: Readonly<Record<string, string>>
  /** Milliseconds from one export to the next. */
  readonly interval: number
  /** Milliseconds after which an export isn't tried again. */
  readonly timeout: number
  /** Whether each export tells only what was counted since the one before. */
  readonly delta: boolean
  readonly latestNames: boolean
}

/** Undefined: no metrics are exported. What the variables say wrong is told to `warn` and ignored. */
export function readMetricsSettings(env: Environment, warn: Warn): MetricsSettings | undefined {
  const signal = readSignal('METRICS', env, warn)
  if (!signal) return undefined
  const timeout = readCount('OTEL_METRIC_EXPORT_TIMEOUT', 30_000, env, warn)
  const aggregation = 'OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION'
  if ((env[aggregation]?.trim() || 'explicit_bucket_histogram').toLowerCase() !== 'explicit_bucket_histogram') {
    warn(`${aggregation}: the buckets are those of the conventions, so it is ignored`)
  }
  return {
    signal: { ...signal, timeout: Math.min(signal.timeout, timeout) },
    resource: readResource(env, warn),
    interval: readCount('OTEL_METRIC_EXPORT_INTERVAL', 60_000, env, warn),
    timeout,
    delta: readDelta(env, warn),
    latestNames: wantsLatestNames(env),
  }
}

/** For what there is here, `lowmemory` is `delta`. */
function readDelta(env: Environment, warn: Warn): boolean {
  const name = 'OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE'
  const given = env[name]?.trim().toLowerCase() || 'cumulative'
  const isKnown = ['cumulative', 'delta', 'lowmemory'].includes(given)
  if (!isKnown) warn(`${name}: only "cumulative", "delta" and "lowmemory" are known, so it is taken for "cumulative"`)
  return isKnown && given !== 'cumulative'
}
