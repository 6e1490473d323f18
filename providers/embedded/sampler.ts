import type { Turns } from './turns.ts'

export interface Sampling {
  /** 0 always picks the most likely token. */
  readonly temperature: number
  readonly topP: number
  /** 0 means no limit. */
  readonly topK: number
  /** An unsigned 32-bit integer. */
  readonly seed: number
  readonly frequencyPenalty: number
  readonly presencePenalty: number
  readonly bias: ReadonlyMap<number, number>
}

export interface RankedToken {
  readonly id: number
  /** Natural logarithm of the probability. */
  readonly logprob: number
}

/** Tokens checked at a time. */
const CHECKED = 64

/** Picks the tokens of one answer. The same settings and logits give the same tokens. */
export class Sampler {
  readonly #settings: Sampling
  readonly #random: () => number
  readonly #counts = new Map<number, number>()
  readonly #banned: readonly number[]
  readonly #scores: Float32Array

  /** `banned` ids are never picked. */
  constructor(settings: Sampling, vocabulary: number, banned: readonly number[]) {
    this.#settings = settings
    this.#random = seededRandom(settings.seed)
    this.#banned = banned
    this.#scores = new Float32Array(vocabulary)
  }

  /** The next token, or -1 if `allows` rejects all. Takes turns while it checks the vocabulary. */
  async pick(logits: Float32Array, turns: Turns, allows?: (id: number) => boolean): Promise<number> {
    this.#adjust(logits)
    let id = this.#choose()
    // Drawing again among the allowed tokens gives the same odds as masking the others first (without top_p and top_k),
    // and usually avoids checking the whole vocabulary.
    if (allows && !allows(id)) {
      let left = 0
      for (let i = 0; i < this.#scores.length; i++) {
        if (i % CHECKED === 0) await turns.take()
        if (this.#scores[i] !== Number.NEGATIVE_INFINITY && allows(i)) left++
        else this.#scores[i] = Number.NEGATIVE_INFINITY
      }
      if (left === 0) return -1
      id = this.#choose()
    }
    this.#counts.set(id, (this.#counts.get(id) ?? 0) + 1)
    return id
  }

  #adjust(logits: Float32Array): void {
    const { bias, frequencyPenalty, presencePenalty } = this.#settings
    const scores = this.#scores
    scores.set(logits)
    for (const [id, amount] of bias) scores[id] = (scores[id] as number) + amount
    if (frequencyPenalty !== 0 || presencePenalty !== 0) {
      for (const [id, count] of this.#counts) {
        scores[id] = (scores[id] as number) - count * frequencyPenalty - presencePenalty
      }
    }
    for (const id of this.#banned) scores[id] = Number.NEGATIVE_INFINITY
  }

  #choose(): number {
    const { temperature } = this.#settings
    const best = indexOfMax(this.#scores)
    if (temperature === 0) return best
    const max = this.#scores[best] as number
    const weights = Float64Array.from(this.#scores, (score) => Math.exp((score - max) / temperature))
    const candidates = this.#candidates(weights)
    let total = 0
    for (const id of candidates) total += weights[id] as number
    let left = this.#random() * total
    for (const id of candidates) {
      left -= weights[id] as number
      if (left < 0) return id
    }
    return best
  }

  /** Ids within top_k and top_p. */
  #candidates(weights: Float64Array): number[] {
    const { topP, topK } = this.#settings
    let total = 0
    for (const weight of weights) total += weight
    // All tokens below this weight together are less than what top_p cuts off, so we need not sort them.
    const least = topP < 1 ? ((1 - topP) * total) / weights.length : 0
    const ids: number[] = []
    for (let id = 0; id < weights.length; id++) if ((weights[id] as number) > least) ids.push(id)
    if (topP >= 1 && topK === 0) return ids
    ids.sort((a, b) => (weights[b] as number) - (weights[a] as number) || a - b)
    if (topK > 0) ids.length = Math.min(ids.length, topK)
    let sum = 0
    const enough = ids.findIndex((id) => {
      sum += weights[id] as number
      return sum >= topP * total
    })
    return enough < 0 ? ids : ids.slice(0, enough + 1)
  }
}

/** The `count` most likely tokens in order, and the chosen one, with the model's own log probabilities. */
export function rank(logits: Float32Array, chosen: number, count: number): { chosen: RankedToken; top: RankedToken[] } {
  const max = logits[indexOfMax(logits)] as number
  let total = 0
  for (const logit of logits) total += Math.exp(logit - max)
  const norm = max + Math.log(total)
  const top: RankedToken[] = []
  for (let id = 0; id < logits.length && count > 0; id++) {
    const logprob = (logits[id] as number) - norm
    if (top.length === count && logprob <= (top[count - 1] as RankedToken).logprob) continue
    const place = top.findIndex((other) => other.logprob < logprob)
    top.splice(place < 0 ? top.length : place, 0, { id, logprob })
    if (top.length > count) top.pop()
  }
  return { chosen: { id: chosen, logprob: (logits[chosen] as number) - norm }, top }
}

function indexOfMax(values: Float32Array): number {
  let best = 0
  for (let i = 1; i < values.length; i++) if ((values[i] as number) > (values[best] as number)) best = i
  return best
}

/** A 32-bit counter with a mixing function: small, and different seeds give different sequences from the start. */
function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x9e3779b9) >>> 0
    let z = state
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad)
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
    return ((z ^ (z >>> 15)) >>> 0) / 2 ** 32
  }
}
