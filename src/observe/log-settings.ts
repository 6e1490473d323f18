import { show } from '../config/problems.ts'
import type { Config } from '../config/schema.ts'
import type { Environment, Findings } from '../config/secrets.ts'
import { type Level, levels } from '../core/log.ts'

export const formats = ['json', 'text'] as const
export type Format = (typeof formats)[number]

export const silences = ['silent', ...levels] as const

export interface LogSettings {
  /** What is less grave isn't written. */
  readonly level: Level | 'silent'
  readonly format: Format
  /** The share of requests without any trouble that are written, in [0, 1]. All others are. */
  readonly sample: number
  /** Whether prompts and answers are written too. */
  readonly content: boolean
}

/** The log's settings: those of the environment, as an operator changes them in a hurry, before those of the file. */
export function readLogSettings(config: Config, env: Environment, usual: Format, out: Findings): LogSettings {
  const { level, format, sample, content } = config.log ?? {}
  return {
    level: oneOf('LOG_LEVEL', silences, env, out) ?? level ?? 'info',
    format: oneOf('LOG_FORMAT', formats, env, out) ?? format ?? usual,
    sample: sample ?? 1,
    content: content ?? false,
  }
}

function oneOf<T extends string>(name: string, all: readonly T[], env: Environment, out: Findings): T | undefined {
  const given = env[name]?.trim().toLowerCase()
  if (!given) return undefined
  const found = all.find((one) => one === given)
  if (!found) out.problems.push(`${name}: found ${show(given)}; allowed: ${all.join(', ')}`)
  return found
}
