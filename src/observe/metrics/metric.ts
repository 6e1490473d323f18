/** What is counted, as OpenTelemetry and Prometheus call it. */
export interface Metric {
  /** In OpenTelemetry: `gen_ai.server.request.duration`. */
  readonly name: string
  /** In Prometheus, without the suffixes of a histogram's samples: `gen_ai_server_request_duration_seconds`. */
  readonly prometheus: string
  readonly help: string
  /** A unit of UCUM, as OpenTelemetry has it: `s`, `{token}`, `{USD}`. */
  readonly unit: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  /** Names of its attributes in OpenTelemetry. Prometheus has underscores for the dots. */
  readonly attributes: readonly string[]
  /** A histogram's upper bounds, without the infinite one. */
  readonly bounds?: readonly number[]
  /** Whether it is a gauge of what all processes share, and each tells the same, but for a moment. Absent: it isn't. */
  readonly shared?: boolean
}

/** The values of one metric for one set of attributes, as they can be sent to another process. */
export interface Series {
  /** The metric's `name`. */
  readonly metric: string
  /** The values of its attributes, in their order; empty where one isn't known. */
  readonly labels: readonly string[]
  /** Where its values begin. */
  readonly at: number
  /** How many they are: 1, or for a histogram the sum and then the counts of its buckets, the infinite one included. */
  readonly width: number
  /** What is now, not what has been: it ends with its process. */
  readonly isGauge: boolean
  /** See `Metric`. */
  readonly shared?: boolean | undefined
}

/** All that one process, or several, have counted. Plain data. */
export interface Tally {
  /** When the counting began, in milliseconds since 1970. */
  readonly started: number
  readonly series: readonly Series[]
  readonly values: Float64Array
}

/** The number of values that a series of the metric has. */
export function widthOf({ bounds }: Metric): number {
  return bounds ? bounds.length + 2 : 1
}

export function keyOf(metric: string, labels: readonly string[]): string {
  return labels.length === 0 ? metric : `${metric}\0${labels.join('\0')}`
}

/** `before`, and after it series of one value each. */
export function tallyOf(
  all: readonly (readonly [metric: Metric, labels: readonly string[], value: number])[],
  before: Tally,
): Tally {
  const { length } = before.values
  const series = all.map(([{ name: metric, type, shared }, labels], n) => {
    return { metric, labels, at: length + n, width: 1, isGauge: type === 'gauge', ...(shared && { shared }) }
  })
  const values = new Float64Array(length + all.length)
  values.set(before.values)
  for (const [n, [, , value]] of all.entries()) values[length + n] = value
  return { ...before, series: [...before.series, ...series], values }
}

/**
 * Adds up what several processes have counted, or one at several times. Of what they share it takes the least: who has
 * not answered lately may know no better.
 */
export function sumOf(tallies: readonly Tally[]): Tally {
  const places = new Map<string, Series>()
  let size = 0
  for (const { series } of tallies) {
    for (const one of series) {
      const key = keyOf(one.metric, one.labels)
      if (places.has(key)) continue
      places.set(key, { ...one, at: size })
      size += one.width
    }
  }
  const values = new Float64Array(size)
  for (const { at, shared } of places.values()) if (shared) values[at] = Number.POSITIVE_INFINITY
  for (const tally of tallies) {
    for (const { metric, labels, at, width, shared } of tally.series) {
      const place = places.get(keyOf(metric, labels))
      for (let n = 0; place && n < width; n++) {
        const [sum, value] = [values[place.at + n] ?? 0, tally.values[at + n] ?? 0]
        values[place.at + n] = shared ? Math.min(sum, value) : sum + value
      }
    }
  }
  return { started: Math.min(...tallies.map(({ started }) => started)), series: [...places.values()], values }
}

/** What is left of a process's counts when it has ended. */
export function withoutGauges(tally: Tally): Tally {
  return { ...tally, series: tally.series.filter(({ isGauge }) => !isGauge) }
}

/** What was counted since `before`. Gauges stay as they are, and nothing has fallen. */
export function differenceOf(tally: Tally, before: Tally): Tally {
  const places = new Map(before.series.map((one) => [keyOf(one.metric, one.labels), one.at]))
  const values = tally.values.slice()
  for (const { metric, labels, at, width, isGauge } of tally.series) {
    const place = isGauge ? undefined : places.get(keyOf(metric, labels))
    for (let n = 0; place !== undefined && n < width; n++) {
      values[at + n] = Math.max(0, (values[at + n] ?? 0) - (before.values[place + n] ?? 0))
    }
  }
  return { ...tally, values }
}
