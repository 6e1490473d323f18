const nano = 1_000_000_000

/** Dollars: up to here, numbers are near enough to each other that each nano-dollar has its own. */
export const mostDollars = 8_000_000

/** Dollars as nano-dollars; undefined if they have more than nine decimals, or are too many. */
export function nanoDollarsOf(dollars: number): number | undefined {
  if (!(Math.abs(dollars) <= mostDollars)) return undefined
  // The product is rounded, the quotient of the right one is not.
  const near = Math.round(dollars * nano)
  return [near, near - 1, near + 1].find((found) => found / nano === dollars)
}
