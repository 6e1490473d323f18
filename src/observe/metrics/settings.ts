import { show } from '../../config/problems.ts'
import type { Config } from '../../config/schema.ts'
import type { Environment, Findings } from '../../config/secrets.ts'

/** By whose names requests are counted. */
export type NameSet = 'gen_ai' | 'litellm'

const yes = ['true', '1']
const no = ['false', '0']

/**
 * The names that `GET /metrics` is to tell; undefined: it tells nothing. `SAMEWIRE_METRICS` wins over the file, and that
 * over OpenTelemetry's variable.
 */
export function readMetricsNames(config: Config, env: Environment, out: Findings): NameSet | undefined {
  const { metrics } = config
  const given = env.SAMEWIRE_METRICS?.trim().toLowerCase()
  if (given && ![...yes, ...no].includes(given)) {
    out.problems.push(`SAMEWIRE_METRICS: found ${show(given)}; allowed: true, false`)
  }
  const usual = metrics ?? /\bprometheus\b/i.test(env.OTEL_METRICS_EXPORTER ?? '')
  const isWanted = given ? yes.includes(given) : Boolean(usual)
  if (!isWanted) return undefined
  return (typeof metrics === 'object' && metrics.names) || 'gen_ai'
}
