import type { Environment } from '../config/secrets.ts'

const variables = {
  TRACES: ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_TRACES_EXPORTER'],
  METRICS: ['OTEL_EXPORTER_OTLP_METRICS_ENDPOINT', 'OTEL_METRICS_EXPORTER'],
} as const

/** Whether one of OpenTelemetry's variables asks for an export, so that its code is loaded. */
export function isExporting(signal: keyof typeof variables, env: Environment): boolean {
  const [endpoint, exporter] = variables[signal]
  return Boolean(env.OTEL_EXPORTER_OTLP_ENDPOINT || env[endpoint]) || /\botlp\b/i.test(env[exporter] ?? '')
}
