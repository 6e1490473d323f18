import type { Metric, Series, Tally } from '../metrics/metric.ts'

export interface Period {
  /** When the counting began, in milliseconds since 1970. */
  readonly since: number
  readonly now: number
  /** Whether the counts are those since the export before, and not since the start. */
  readonly delta: boolean
}

/** All of an export of metrics. */
export interface Counted {
  readonly metrics: readonly Metric[]
  readonly tally: Tally
  readonly resource: Readonly<Record<string, string>>
  readonly period: Period
}

/** The series of which something is to be told, by their metric. */
export function toldSeries({ metrics, tally, period }: Counted): readonly (readonly [Metric, readonly Series[]])[] {
  const byMetric = Map.groupBy(tally.series, ({ metric }) => metric)
  return metrics.flatMap((metric) => {
    const told = (byMetric.get(metric.name) ?? []).filter((one) => one.isGauge || !period.delta || has(one, tally))
    return told.length === 0 ? [] : [[metric, told] as const]
  })
}

function has({ at, width }: Series, { values }: Tally): boolean {
  return values.subarray(at, at + width).some((value) => value > 0)
}
