import type { GgufFile } from './gguf.ts'
import { add, mix, multiply } from './kernels.ts'

/**
 * Maximum tokens of a forward pass; the scratch buffers have this many rows. More would be little faster, and a pass
 * holds up all other requests.
 */
export const BATCH = 8

interface Layer {
  readonly attentionNorm: Float32Array
  readonly query: Float32Array
  readonly key: Float32Array
  readonly value: Float32Array
  readonly attentionOut: Float32Array
  readonly feedNorm: Float32Array
  readonly gate: Float32Array
  readonly up: Float32Array
  readonly down: Float32Array
}

/** The state of one conversation: keys and values of `length` tokens, for each layer. */
export interface Cache {
  /** Number of tokens processed. Reducing it discards the later tokens. */
  length: number
  readonly keys: readonly Float32Array[]
  readonly values: readonly Float32Array[]
}

/**
 * A decoder of the Llama architecture in single precision. All caches can share one instance, because a pass never
 * yields. The scratch buffers are allocated once, so a token allocates nothing.
 */
export class Transformer {
  readonly vocabulary: number
  readonly #width: number
  readonly #heads: number
  readonly #kvHeads: number
  readonly #headSize: number
  readonly #feed: number
  readonly #epsilon: number
  readonly #frequencies: Float64Array
  readonly #layers: readonly Layer[]
  readonly #embedding: Float32Array
  readonly #outputNorm: Float32Array
  readonly #output: Float32Array
  readonly #x: Float32Array
  readonly #normed: Float32Array
  readonly #q: Float32Array
  readonly #mixed: Float32Array
  readonly #delta: Float32Array
  readonly #gate: Float32Array
  readonly #up: Float32Array
  readonly #scores: Float32Array
  readonly #logits: Float32Array

  /** `context` is the maximum capacity of a cache, in tokens. */
  constructor(gguf: GgufFile, context: number) {
    const number = (name: string) => gguf.metadata.get(`llama.${name}`) as number
    const tensor = (name: string) => gguf.tensors.get(`${name}.weight`)?.data as Float32Array
    this.#width = number('embedding_length')
    this.#heads = number('attention.head_count')
    this.#kvHeads = number('attention.head_count_kv')
    this.#headSize = this.#width / this.#heads
    this.#feed = number('feed_forward_length')
    this.#epsilon = number('attention.layer_norm_rms_epsilon')
    const base = number('rope.freq_base')
    this.#frequencies = Float64Array.from({ length: this.#headSize / 2 }, (_, i) => base ** ((-2 * i) / this.#headSize))
    this.#layers = Array.from({ length: number('block_count') }, (_, i) =>
      readLayer((name) => tensor(`blk.${i}.${name}`)),
    )
    this.#embedding = tensor('token_embd')
    this.#outputNorm = tensor('output_norm')
    this.#output = tensor('output') ?? this.#embedding
    this.vocabulary = this.#output.length / this.#width

    const rows = (columns: number) => new Float32Array(BATCH * columns)
    this.#x = rows(this.#width)
    this.#normed = rows(this.#width)
    this.#q = rows(this.#width)
    this.#mixed = rows(this.#width)
    this.#delta = rows(this.#width)
    this.#gate = rows(this.#feed)
    this.#up = rows(this.#feed)
    this.#scores = new Float32Array(context)
    this.#logits = new Float32Array(this.vocabulary)
  }

  /** The length of a hidden state. */
  get width(): number {
    return this.#width
  }

  /** An empty cache with room for `capacity` tokens. */
  cache(capacity: number): Cache {
    const rows = () => this.#layers.map(() => new Float32Array(capacity * this.#kvHeads * this.#headSize))
    return { length: 0, keys: rows(), values: rows() }
  }

  /** Appends up to `BATCH` tokens to the cache. `logits` is then that of the last token. */
  forward(cache: Cache, tokens: ArrayLike<number>): void {
    const count = tokens.length
    const width = this.#width
    this.#pass(cache, tokens)
    // Compute the logits now and for the last row only, before the pass of another cache overwrites it.
    this.#normalise(this.#outputNorm, count - 1, count)
    this.#normed.copyWithin(0, (count - 1) * width, count * width)
    multiply(this.#logits, 0, this.#normed, this.#output, 1, width, this.vocabulary)
  }

  /** Appends up to `BATCH` tokens to the cache, and adds the last hidden state of each to `sum`, which is `width` long. */
  embed(cache: Cache, tokens: ArrayLike<number>, sum: Float64Array): void {
    this.#pass(cache, tokens)
    this.#normalise(this.#outputNorm, 0, tokens.length)
    for (let i = 0; i < tokens.length * this.#width; i++) {
      sum[i % this.#width] = (sum[i % this.#width] as number) + (this.#normed[i] as number)
    }
  }

  #pass(cache: Cache, tokens: ArrayLike<number>): void {
    const count = tokens.length
    const width = this.#width
    for (let t = 0; t < count; t++) {
      const row = (tokens[t] as number) * width
      this.#x.set(this.#embedding.subarray(row, row + width), t * width)
    }
    for (let i = 0; i < this.#layers.length; i++) {
      const layer = this.#layers[i] as Layer
      this.#attend(layer, cache.keys[i] as Float32Array, cache.values[i] as Float32Array, cache.length, count)
      this.#feedForward(layer, count)
    }
    cache.length += count
  }

  /** Unnormalised log probabilities of the next token after the last `forward`, which the next one overwrites. */
  get logits(): Float32Array {
    return this.#logits
  }

  #attend(layer: Layer, keys: Float32Array, values: Float32Array, start: number, count: number): void {
    const width = this.#width
    const kvWidth = this.#kvHeads * this.#headSize
    this.#normalise(layer.attentionNorm, 0, count)
    multiply(this.#q, 0, this.#normed, layer.query, count, width, width)
    multiply(keys, start * kvWidth, this.#normed, layer.key, count, width, kvWidth)
    multiply(values, start * kvWidth, this.#normed, layer.value, count, width, kvWidth)
    for (let t = 0; t < count; t++) {
      this.#rotate(this.#q, t * width, width, start + t)
      this.#rotate(keys, (start + t) * kvWidth, kvWidth, start + t)
    }
    for (let t = 0; t < count; t++) {
      for (let head = 0; head < this.#heads; head++) this.#attendHead(head, t, keys, values, start + t + 1)
    }
    multiply(this.#delta, 0, this.#mixed, layer.attentionOut, count, width, width)
    add(this.#x, this.#delta, count * width)
  }

  #attendHead(head: number, t: number, keys: Float32Array, values: Float32Array, length: number): void {
    const size = this.#headSize
    const kvWidth = this.#kvHeads * size
    const kvHead = Math.floor((head * this.#kvHeads) / this.#heads) * size
    const q = this.#q
    const scores = this.#scores
    const row = t * this.#width + head * size
    const scale = 1 / Math.sqrt(size)
    let max = Number.NEGATIVE_INFINITY
    for (let position = 0; position < length; position++) {
      const at = position * kvWidth + kvHead
      let a = 0
      let b = 0
      for (let i = 0; i < size; i += 4) {
        a +=
          (q[row + i] as number) * (keys[at + i] as number) + (q[row + i + 1] as number) * (keys[at + i + 1] as number)
        b +=
          (q[row + i + 2] as number) * (keys[at + i + 2] as number) +
          (q[row + i + 3] as number) * (keys[at + i + 3] as number)
      }
      const score = (a + b) * scale
      scores[position] = score
      if (score > max) max = score
    }
    let total = 0
    for (let position = 0; position < length; position++) {
      const weight = Math.exp((scores[position] as number) - max)
      scores[position] = weight
      total += weight
    }
    mix(this.#mixed, row, scores, total, values, kvHead, kvWidth, size, length)
  }

  /** Rotary position embedding: rotates each pair (2i, 2i+1) of every head. */
  #rotate(row: Float32Array, at: number, length: number, position: number): void {
    const pairs = this.#frequencies.length
    for (let pair = 0; pair < pairs; pair++) {
      const angle = position * (this.#frequencies[pair] as number)
      const cos = Math.cos(angle)
      const sin = Math.sin(angle)
      for (let i = at + 2 * pair; i < at + length; i += this.#headSize) {
        const a = row[i] as number
        const b = row[i + 1] as number
        row[i] = a * cos - b * sin
        row[i + 1] = a * sin + b * cos
      }
    }
  }

  #feedForward(layer: Layer, count: number): void {
    this.#normalise(layer.feedNorm, 0, count)
    multiply(this.#gate, 0, this.#normed, layer.gate, count, this.#width, this.#feed)
    multiply(this.#up, 0, this.#normed, layer.up, count, this.#width, this.#feed)
    for (let i = 0; i < count * this.#feed; i++) {
      const gate = this.#gate[i] as number
      this.#up[i] = ((this.#up[i] as number) * gate) / (1 + Math.exp(-gate))
    }
    multiply(this.#delta, 0, this.#up, layer.down, count, this.#feed, this.#width)
    add(this.#x, this.#delta, count * this.#width)
  }

  #normalise(weight: Float32Array, from: number, to: number): void {
    const width = this.#width
    for (let t = from; t < to; t++) {
      let squares = 0
      for (let i = t * width; i < (t + 1) * width; i++) squares += (this.#x[i] as number) ** 2
      const scale = 1 / Math.sqrt(squares / width + this.#epsilon)
      for (let i = 0; i < width; i++) {
        this.#normed[t * width + i] = (this.#x[t * width + i] as number) * scale * (weight[i] as number)
      }
    }
  }
}

function readLayer(tensor: (name: string) => Float32Array): Layer {
  return {
    attentionNorm: tensor('attn_norm'),
    query: tensor('attn_q'),
    key: tensor('attn_k'),
    value: tensor('attn_v'),
    attentionOut: tensor('attn_output'),
    feedNorm: tensor('ffn_norm'),
    gate: tensor('ffn_gate'),
    up: tensor('ffn_up'),
    down: tensor('ffn_down'),
  }
}
