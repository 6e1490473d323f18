import type { Money } from './money.ts'
import type { Rates } from './rates.ts'
import type { Pieces } from './usage.ts'

/** A sum of what costs something, in whole numbers all the way. */
export class Bill {
  /** Pico-dollars: exact as long as it is below 2^53, for then each product was too. */
  #sum = 0
  /** The rest of them, once it would not be. */
  #more = 0n
  #isEmpty = true
  #unknown = false

  /** Rates in pico-dollars. Of what there is none, none is needed. */
  add(count: number, rate: number | undefined): void {
    if (count <= 0) return
    this.#isEmpty = false
    if (rate === undefined) this.#unknown = true
    else if (this.#sum + count * rate < Number.MAX_SAFE_INTEGER) this.#sum += count * rate
    else this.#more += BigInt(count) * BigInt(rate)
  }

  /** Adds what is billed by the piece. What has no rate of its own is part of the rest. */
  addPieces(rates: Rates, { images = 0, seconds = 0, characters = 0, searches = 0 }: Pieces): void {
    if (rates.request !== undefined) this.add(1, rates.request)
    if (rates.image !== undefined) this.add(images, rates.image)
    if (rates.second !== undefined) this.add(seconds, rates.second)
    if (rates.character !== undefined) this.add(characters, rates.character)
    if (rates.search !== undefined) this.add(searches, rates.search)
  }

  /** Rounded up. Undefined: something on it has no rate, or there is nothing on it. */
  get total(): Money | undefined {
    if (this.#unknown || this.#isEmpty) return undefined
    return this.#more === 0n ? thousandth(this.#sum) : largeTotal(this.#more + BigInt(this.#sum))
  }
}

/** Nano-dollars. In whole numbers: a quotient of large ones may be rounded to a whole one below it. */
function thousandth(pico: number): Money {
  const rest = pico % 1000
  return (pico - rest) / 1000 + (rest > 0 ? 1 : 0)
}

function largeTotal(pico: bigint): Money {
  const nano = (pico + 999n) / 1000n
  const most = BigInt(Number.MAX_SAFE_INTEGER)
  return Number(nano < most ? nano : most)
}
