/** Values that are remembered; the oldest is replaced first. */
const kept = 256
/** Values without which a quantile says nothing. */
const least = 20
/** New values after which it is computed again. */
const stale = 16

/** A quantile of the latest values, computed again every few values only. */
export class Quantile {
  readonly #share: number
  /** Created with the first value: most quantiles never get one. */
  #values: Float64Array | undefined
  #count = 0
  #computed: number | undefined
  #computedAt = 0

  /** `share`: 0.95 for the value that 95 % of all stay below. */
  constructor(share: number) {
    this.#share = share
  }

  add(value: number): void {
    this.#values ??= new Float64Array(kept)
    this.#values[this.#count % kept] = value
    this.#count++
  }

  /** Undefined while there are too few values. */
  get value(): number | undefined {
    if (!this.#values || this.#count < least) return undefined
    if (this.#computed === undefined || this.#count - this.#computedAt >= stale) {
      const sorted = this.#values.slice(0, Math.min(this.#count, kept)).sort()
      this.#computed = sorted[Math.ceil(this.#share * sorted.length) - 1]
      this.#computedAt = this.#count
    }
    return this.#computed
  }
}
