import type { Deployment } from './catalog.ts'

/** What decides which deployment is drawn next. Without any of it, chance decides by weight. */
export interface Preference {
  /** Those with the lowest score come first; equal ones are drawn by weight. */
  readonly score?: ((deployment: Deployment) => number) | undefined
  /** Of two that are drawn by weight, the one with the lower cost is taken. */
  readonly cost?: ((deployment: Deployment) => number) | undefined
  /** Takes the place of chance: of those with the same score, the highest rank comes first. */
  readonly rank?: ((deployment: Deployment) => number) | undefined
}

/**
 * Draws deployments one at a time, each once, because few requests need a second one. A weight of 0 comes after all
 * others, whatever is preferred.
 */
export class Draw {
  readonly #left: Deployment[]
  readonly #random: () => number
  readonly #cost: Preference['cost']
  readonly #scores: number[] | undefined
  readonly #ranks: number[] | undefined

  constructor(deployments: readonly Deployment[], random: () => number, preference: Preference = {}) {
    const { score, cost, rank } = preference
    this.#left = [...deployments]
    this.#random = random
    this.#cost = cost
    this.#scores =
      score && deployments.map((deployment) => (deployment.weight > 0 ? score(deployment) : Number.POSITIVE_INFINITY))
    this.#ranks =
      rank && deployments.map((deployment) => (deployment.weight > 0 ? rank(deployment) : Number.NEGATIVE_INFINITY))
  }

  /** Undefined once all have been drawn. */
  next(): Deployment | undefined {
    if (this.#left.length === 0) return undefined
    const first = this.#remove(this.#pick())
    if (!this.#cost || this.#left.length === 0) return first
    const at = this.#pick()
    const second = this.#left[at] as Deployment
    if (second.weight === 0 || this.#cost(second) >= this.#cost(first)) return first
    this.#left[at] = first
    return second
  }

  #remove(at: number): Deployment {
    this.#scores?.splice(at, 1)
    this.#ranks?.splice(at, 1)
    return this.#left.splice(at, 1)[0] as Deployment
  }

  /** The index of the next one, among those with the lowest score. */
  #pick(): number {
    const left = this.#left
    const scores = this.#scores
    let lowest = Number.POSITIVE_INFINITY
    let total = 0
    for (let index = 0; index < left.length; index++) {
      const score = scores ? (scores[index] as number) : 0
      if (score > lowest) continue
      if (score < lowest) total = 0
      lowest = score
      total += (left[index] as Deployment).weight
    }
    return this.#ranks ? this.#highest(this.#ranks, lowest) : this.#byWeight(this.#random() * total, lowest)
  }

  #highest(ranks: readonly number[], score: number): number {
    let best = -1
    ranks.forEach((rank, index) => {
      if (this.#isAt(index, score) && (best < 0 || rank > (ranks[best] as number))) best = index
    })
    return best
  }

  #byWeight(point: number, score: number): number {
    const left = this.#left
    let rest = point
    let last = -1
    for (let index = 0; index < left.length; index++) {
      if (!this.#isAt(index, score)) continue
      const { weight } = left[index] as Deployment
      rest -= weight
      if (rest < 0) return index
      // Sums of fractions are inexact, so the point may lie behind the last one; and all weights may be 0.
      if (weight > 0 || last < 0) last = index
    }
    return last
  }

  #isAt(index: number, score: number): boolean {
    return this.#scores === undefined || this.#scores[index] === score
  }
}
