/** The value below which the given `share` of the sorted values lies; NaN if there are none. */
export function quantile(sorted: Float64Array | readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

/** The median and the quartiles. */
export interface Spread {
  readonly median: number
  readonly lower: number
  readonly upper: number
}

/** Ignores NaN. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b)
  return { median: quantile(sorted, 0.5), lower: quantile(sorted, 0.25), upper: quantile(sorted, 0.75) }
}

export function median(values: readonly number[]): number {
  return spreadOf(values).median
}
