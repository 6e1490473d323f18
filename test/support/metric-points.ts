/** An attribute as OTLP's JSON has it. */
export interface Attribute {
  readonly key: string
  readonly value: {
    readonly stringValue?: string
    readonly intValue?: string
    readonly doubleValue?: number
    readonly boolValue?: boolean
    readonly arrayValue?: { readonly values: readonly Attribute['value'][] }
  }
}

interface PointJSON {
  readonly attributes?: readonly Attribute[]
  readonly startTimeUnixNano: string
  readonly timeUnixNano: string
  readonly asDouble?: number
  readonly count?: string
  readonly sum?: number
  readonly bucketCounts?: readonly string[]
  readonly explicitBounds?: readonly number[]
}

interface DataJSON {
  readonly dataPoints: readonly PointJSON[]
  readonly aggregationTemporality?: number
  readonly isMonotonic?: boolean
}

interface MetricJSON {
  readonly name: string
  readonly unit: string
  readonly description: string
  readonly sum?: DataJSON
  readonly gauge?: DataJSON
  readonly histogram?: DataJSON
}

interface Payload {
  readonly resourceMetrics: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] }
    readonly scopeMetrics: readonly { readonly metrics: readonly MetricJSON[] }[]
  }[]
}

/** A point of a metric for assertions: times in milliseconds since 1970, temporality as in OTLP (1 delta, 2 cumulative). */
export interface Point {
  readonly metric: string
  readonly unit: string
  readonly description: string
  readonly kind: 'sum' | 'gauge' | 'histogram'
  readonly temporality: number | undefined
  readonly isMonotonic: boolean
  readonly resource: Readonly<Record<string, unknown>>
  readonly attributes: Readonly<Record<string, unknown>>
  readonly start: number
  readonly time: number
  /** Of a histogram: the sum. */
  readonly value: number
  readonly count: number
  readonly buckets: readonly number[]
  readonly bounds: readonly number[]
}

export function pointsIn(text: string): Point[] {
  const { resourceMetrics } = JSON.parse(text) as Payload
  return resourceMetrics.flatMap(({ resource, scopeMetrics }) =>
    scopeMetrics.flatMap(({ metrics }) =>
      metrics.flatMap((metric) => pointsOf(metric, attributesIn(resource.attributes))),
    ),
  )
}

function pointsOf(metric: MetricJSON, resource: Point['resource']): Point[] {
  const { name, unit, description, sum, gauge, histogram } = metric
  const kind = sum ? 'sum' : gauge ? 'gauge' : 'histogram'
  const { dataPoints = [], aggregationTemporality: temporality, isMonotonic = false } = sum ?? gauge ?? histogram ?? {}
  return dataPoints.map((point) => ({
    ...{ metric: name, unit, description, kind, temporality, isMonotonic, resource },
    attributes: attributesIn(point.attributes ?? []),
    start: Number(point.startTimeUnixNano) / 1e6,
    time: Number(point.timeUnixNano) / 1e6,
    value: point.asDouble ?? point.sum ?? 0,
    count: Number(point.count ?? 0),
    buckets: (point.bucketCounts ?? []).map(Number),
    bounds: point.explicitBounds ?? [],
  }))
}

/** The sum of the points of a metric that have these attributes; of a histogram the number of what was observed. */
export function totalOf(
  points: readonly Point[] | undefined,
  metric: string,
  attributes: Readonly<Record<string, unknown>> = {},
): number {
  return (points ?? [])
    .filter((point) => point.metric === metric)
    .filter((point) => Object.entries(attributes).every(([name, value]) => point.attributes[name] === value))
    .reduce((sum, { kind, value, count }) => sum + (kind === 'histogram' ? count : value), 0)
}

export function attributesIn(attributes: readonly Attribute[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, plain(value)]))
}

function plain({ stringValue, intValue, doubleValue, boolValue, arrayValue }: Attribute['value']): unknown {
  if (arrayValue) return arrayValue.values.map(plain)
  return stringValue ?? doubleValue ?? boolValue ?? Number(intValue)
}
