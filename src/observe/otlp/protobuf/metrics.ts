import { remembering } from '../../keys.ts'
import type { Metric, Series, Tally } from '../../metrics/metric.ts'
import { type Counted, type Period, toldSeries } from '../metric-points.ts'
import { AttributeMemory, ProtobufAttributes } from './attributes.ts'
import { closeFrame, openFrame, resourceOf } from './frame.ts'
import { ProtobufWriter } from './writer.ts'

/** Bytes of the first export: each later one begins with what the one before took. */
let usual = 64 * 1024

/** Attributes of a `NumberDataPoint`, which are those of a `HistogramDataPoint` in another field. */
const ofNumbers = remembering(new AttributeMemory(7))
const ofHistograms = remembering(new AttributeMemory(9))

/** The field of `Metric` that has its points, as a tag. */
const kinds = { gauge: 0x2a, counter: 0x3a, histogram: 0x4a }

/**
 * Counts in OTLP's protobuf:
 * https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/metrics/v1/metrics.proto
 */
export function metricsProtobuf(counted: Counted): Uint8Array<ArrayBuffer> {
  const out = new ProtobufWriter(new ArrayBuffer(usual))
  const frame = openFrame(out, resourceOf(counted.resource))
  for (const [metric, series] of toldSeries(counted)) writeMetric(out, metric, series, counted)
  closeFrame(out, frame)
  usual = out.size
  return out.bytes
}

function writeMetric(out: ProtobufWriter, metric: Metric, series: readonly Series[], counted: Counted): void {
  const { tally, period } = counted
  out.byte(0x12)
  const start = out.open()
  for (const [tag, text] of [
    [0x0a, metric.name],
    [0x12, metric.help],
    [0x1a, metric.unit],
  ] as const) {
    out.byte(tag)
    out.text(text)
  }
  out.byte(kinds[metric.type])
  const data = out.open()
  for (const one of series) writePoint(out, metric, one, { tally, period })
  if (metric.type !== 'gauge') {
    // `aggregation_temporality`, an enumeration.
    out.byte(0x10)
    out.byte(period.delta ? 1 : 2)
  }
  if (metric.type === 'counter') {
    // `is_monotonic`
    out.byte(0x18)
    out.byte(1)
  }
  out.close(data)
  out.close(start)
}

interface Counts {
  readonly tally: Tally
  readonly period: Period
}

function writePoint(out: ProtobufWriter, metric: Metric, series: Series, { tally, period }: Counts): void {
  const { attributes, bounds } = metric
  out.byte(0x0a)
  const point = out.open()
  const named = new ProtobufAttributes(out, bounds ? ofHistograms : ofNumbers)
  // What is unknown, such as the error where there was none, is left out.
  for (const [n, name] of attributes.entries()) named.text(name, series.labels[n] || undefined)
  out.byte(0x11)
  out.time(period.since)
  out.byte(0x19)
  out.time(period.now)
  if (bounds) writeBuckets(out, bounds, tally.values.subarray(series.at, series.at + series.width))
  else {
    out.byte(0x21)
    out.double(tally.values[series.at] ?? 0)
  }
  out.close(point)
}

/** `values`: the sum, and then the counts of the buckets. */
function writeBuckets(out: ProtobufWriter, bounds: readonly number[], [sum = 0, ...buckets]: Float64Array): void {
  out.byte(0x21)
  out.fixed64(buckets.reduce((all, one) => all + one, 0))
  out.byte(0x29)
  out.double(sum)
  out.byte(0x32)
  out.varint(buckets.length * 8)
  for (const bucket of buckets) out.fixed64(bucket)
  out.byte(0x3a)
  out.varint(bounds.length * 8)
  for (const bound of bounds) out.double(bound)
}
