import type { Environment } from '../../config/secrets.ts'
import type { Warn } from './variables.ts'

/** Decides whether a trace is kept. `parent`: whether its beginning is, where that was decided elsewhere. */
export type Sampler = (traceId: string, parent: boolean | undefined) => boolean

/** Digits of a trace id that decide about it: its last 52 bits, of the 56 that are to be random. */
const digits = 13

/** By the id, so that all who see the trace and keep the same share decide alike. */
function byRatio(ratio: number): (traceId: string) => boolean {
  if (ratio >= 1) return () => true
  const least = (1 - ratio) * 16 ** digits
  return (traceId) => Number.parseInt(traceId.slice(-digits), 16) >= least
}

const roots: Readonly<Record<string, (ratio: number) => (traceId: string) => boolean>> = {
  always_on: () => () => true,
  always_off: () => () => false,
  traceidratio: byRatio,
}

/** Reads `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG`: a share in [0, 1]. Default: the client decides, else all. */
export function readSampler(env: Environment, warn: Warn): Sampler {
  const name = env.OTEL_TRACES_SAMPLER?.trim().toLowerCase() || 'parentbased_always_on'
  const make = roots[name.replace(/^parentbased_/, '')]
  if (!make) warn('OTEL_TRACES_SAMPLER: no sampler of that name is known here, so all traces are kept')
  const root = (make ?? byRatio)(make ? readRatio(env, warn) : 1)
  if (make && !name.startsWith('parentbased_')) return root
  return (traceId, parent) => parent ?? root(traceId)
}

function readRatio(env: Environment, warn: Warn): number {
  const given = env.OTEL_TRACES_SAMPLER_ARG?.trim()
  if (!given) return 1
  const ratio = Number(given)
  if (ratio >= 0 && ratio <= 1) return ratio
  warn('OTEL_TRACES_SAMPLER_ARG: it is no number from 0 to 1, so it is taken for 1')
  return 1
}
