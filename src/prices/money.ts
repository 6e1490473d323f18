/** A whole number of nano-dollars: exact up to nine million dollars, where floats would drift from the first sum on. */
export type Money = number

/** For what people and their tools read. As JSON it has the digits of the amount, and no others. */
export function dollarsOf(money: Money): number {
  return money / 1e9
}

/** Where a price comes from. `free`: the provider's definition says that nobody bills what it serves. */
export type PriceSource = 'configured' | 'listed' | 'catalogue' | 'free'
