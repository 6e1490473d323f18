import { keyOf, type Metric, type Series, type Tally, widthOf } from './metric.ts'

/** The value of an attribute where its own would be one too many. */
export const other = 'other'

/** Series beyond which new names of models become `other`, and beyond which anything does. */
const roomy = 1_500
const most = 2_000

/** The counts of this process: numbers in one array, so that to count is an addition. */
export class Registry {
  readonly #started: number
  readonly #places = new Map<string, Series>()
  #size = 0
  values = new Float64Array(4_096)
  /** How often something was counted under `other` because there are too many series. */
  folded = 0

  /** `started`: milliseconds since 1970. */
  constructor(started: number) {
    this.#started = started
  }

  /** Whether there is room for another name. */
  get hasRoom(): boolean {
    return this.#places.size < roomy
  }

  /** Where a series begins in `values`. It is made if there is none. */
  place(metric: Metric, labels: readonly string[]): number {
    const known = this.#places.get(keyOf(metric.name, labels))
    if (known) return known.at
    // Each metric has one series more, for all that finds no room.
    if (this.#places.size >= most && labels.some((label) => label !== other)) {
      this.folded++
      return this.place(
        metric,
        labels.map(() => other),
      )
    }
    return this.#make(metric, labels)
  }

  #make(metric: Metric, labels: readonly string[]): number {
    const at = this.#size
    const width = widthOf(metric)
    this.#size += width
    if (this.#size > this.values.length) {
      const larger = new Float64Array(this.values.length * 2)
      larger.set(this.values)
      this.values = larger
    }
    const series = { metric: metric.name, labels: [...labels], at, width, isGauge: metric.type === 'gauge' }
    this.#places.set(keyOf(metric.name, labels), series)
    return at
  }

  counter(metric: Metric, labels: readonly string[]): Counter {
    return new Counter(this, metric, labels)
  }

  histogram(metric: Metric & Pick<Required<Metric>, 'bounds'>, labels: readonly string[]): Histogram {
    return new Histogram(this, metric, labels)
  }

  add(at: number, amount = 1): void {
    const { values } = this
    values[at] = (values[at] as number) + amount
  }

  observe(at: number, bounds: Float64Array, value: number): void {
    const { values } = this
    let bucket = 0
    while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket++
    values[at] = (values[at] as number) + value
    values[at + 1 + bucket] = (values[at + 1 + bucket] as number) + 1
  }

  /** Sets all series of a gauge to those that are given; the others to 0. */
  set(metric: Metric, all: Iterable<readonly [labels: readonly string[], value: number]>): void {
    for (const { metric: name, at } of this.#places.values()) if (name === metric.name) this.values[at] = 0
    for (const [labels, value] of all) this.add(this.place(metric, labels), value)
  }

  /** A copy. */
  tally(): Tally {
    const values = this.values.slice(0, this.#size)
    return { started: this.#started, series: [...this.#places.values()], values }
  }
}

/** A series that is made when it first counts: most requests have no tokens of reasoning, say. */
export class Counter {
  readonly #registry: Registry
  readonly #metric: Metric
  readonly #labels: readonly string[]
  #at = -1

  constructor(registry: Registry, metric: Metric, labels: readonly string[]) {
    this.#registry = registry
    this.#metric = metric
    this.#labels = labels
  }

  add(amount = 1): void {
    if (this.#at < 0) this.#at = this.#registry.place(this.#metric, this.#labels)
    this.#registry.add(this.#at, amount)
  }
}

/** The same for a histogram. */
export class Histogram {
  readonly #registry: Registry
  readonly #metric: Metric & Pick<Required<Metric>, 'bounds'>
  readonly #labels: readonly string[]
  readonly #bounds: Float64Array
  #at = -1

  constructor(registry: Registry, metric: Metric & Pick<Required<Metric>, 'bounds'>, labels: readonly string[]) {
    this.#registry = registry
    // Arrays of whole numbers and of others are not the same to V8.
    this.#bounds = Float64Array.from(metric.bounds)
    this.#metric = metric
    this.#labels = labels
  }

  observe(value: number): void {
    if (this.#at < 0) this.#at = this.#registry.place(this.#metric, this.#labels)
    this.#registry.observe(this.#at, this.#bounds, value)
  }
}
