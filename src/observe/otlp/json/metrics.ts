import { shownJSON } from '../../keys.ts'
import type { Metric, Series, Tally } from '../../metrics/metric.ts'
import { type Counted, toldSeries } from '../metric-points.ts'
import { attributesOf, JSONAttributes } from './attributes.ts'
import { nanoseconds } from './nanoseconds.ts'

const encoder = new TextEncoder()

/** Words counts as the body of a request by OTLP. https://opentelemetry.io/docs/specs/otel/metrics/data-model */
export function metricsJSON(counted: Counted): Uint8Array<ArrayBuffer> {
  const { tally, resource, period } = counted
  const times = `"startTimeUnixNano":"${nanoseconds(period.since)}","timeUnixNano":"${nanoseconds(period.now)}"`
  const all = toldSeries(counted).map(([metric, series]) => {
    const points = series.map((one) => `{${times},${pointOf(metric, one, tally)}}`).join()
    return metricJSON(metric, points, period.delta)
  })
  return encoder.encode(
    `{"resourceMetrics":[{"resource":{"attributes":[${attributesOf(resource)}]},"scopeMetrics":[{"scope":{"name":"samewire"},"metrics":[${all.join()}]}]}]}`,
  )
}

function metricJSON({ name, help, unit, type }: Metric, points: string, delta: boolean): string {
  const temporality = `"aggregationTemporality":${delta ? 1 : 2}`
  const data = {
    counter: `"sum":{"dataPoints":[${points}],${temporality},"isMonotonic":true}`,
    gauge: `"gauge":{"dataPoints":[${points}]}`,
    histogram: `"histogram":{"dataPoints":[${points}],${temporality}}`,
  }
  return `{"name":"${name}","description":${shownJSON(help)},"unit":"${unit}",${data[type]}}`
}

function pointOf({ attributes, bounds }: Metric, { labels, at, width }: Series, { values }: Tally): string {
  const named = new JSONAttributes()
  // What is unknown, such as the error where there was none, is left out.
  for (const [n, name] of attributes.entries()) named.text(name, labels[n] || undefined)
  const told = `"attributes":[${named.json}]`
  if (!bounds) return `${told},"asDouble":${values[at] ?? 0}`
  const buckets = values.subarray(at + 1, at + width)
  const count = buckets.reduce((sum, one) => sum + one, 0)
  // 64 bits are a string in JSON.
  const counts = Array.from(buckets, (one) => `"${one}"`).join()
  return `${told},"count":"${count}","sum":${values[at] ?? 0},"bucketCounts":[${counts}],"explicitBounds":[${bounds.join()}]`
}
