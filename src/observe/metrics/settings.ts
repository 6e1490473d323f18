import { show } from '../../config/problems.ts'
import type { Config } from '../../config/schema.ts'
import type { Environment, Findings } from '../../config/secrets.ts'

export interface MetricsSettings {
  readonly names: 'gen_ai' | 'litellm'
  /** Whether those of `gen_ai` are the conventions' newer ones. */
  readonly latest: boolean
}

const yes = ['true', '1']
const no = ['false', '0']

/** What is to be counted; undefined: nothing. `SAMEWIRE_METRICS` wins over the file. */
export function readMetricsSettings(config: Config, env: Environment, out: Findings): MetricsSettings | undefined {
  const { metrics } = config
  const given = env.SAMEWIRE_METRICS?.trim().toLowerCase()
  if (given && ![...yes, ...no].includes(given)) {
    out.problems.push(`SAMEWIRE_METRICS: found ${show(given)}; allowed: true, false`)
  }
  const isWanted = given ? yes.includes(given) : Boolean(metrics)
  if (!isWanted) return undefined
  // https://opentelemetry.io/docs/specs/semconv/gen-ai: nobody's names change unless they ask for it.
  const latest = (env.OTEL_SEMCONV_STABILITY_OPT_IN ?? '').split(',').some((word) => word.trim() === optIn)
  return { names: (typeof metrics === 'object' && metrics.names) || 'gen_ai', latest }
}

const optIn = 'gen_ai_latest_experimental'
