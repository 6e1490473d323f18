import type { Environment } from '../config/secrets.ts'

/** Whether one of OpenTelemetry's variables asks for an export, so that its code is loaded. */
export function isExporting(signal: 'TRACES' | 'METRICS', env: Environment): boolean {
  return (
    Boolean(env.OTEL_EXPORTER_OTLP_ENDPOINT || env[`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`]) ||
    /\botlp\b/i.test(env[`OTEL_${signal}_EXPORTER`] ?? '')
  )
}
