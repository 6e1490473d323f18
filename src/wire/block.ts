/** Minimum bytes allocated when a second piece arrives. */
const leastCapacity = 4 * 1024
/**
 * The announced size is allocated when this many bytes have arrived, or a quarter of them: announcing a size costs a
 * client nothing.
 */
const large = 256 * 1024

/**
 * Collects pieces of bytes in one growing block, so that a piece costs only its bytes, not an object. The first piece
 * is kept as it is and copied only when a second one arrives, since most bodies are a single piece.
 */
export class Block {
  readonly #most: number
  readonly #told: number
  #bytes: Uint8Array = nothing
  #size = 0
  /** Whether the block may be written to: it is not the caller's first piece. */
  #owned = false

  /**
   * `most`: the expected maximum in bytes; more is allocated only if more is added. `told`: the size that the sender
   * announced; with it a large body is copied only once.
   */
  constructor(most = Number.POSITIVE_INFINITY, told = 0) {
    this.#most = most
    this.#told = told
  }

  get size(): number {
    return this.#size
  }

  add(piece: Uint8Array): void {
    if (piece.length === 0) return
    const size = this.#size + piece.length
    if (this.#size === 0 && !this.#owned) this.#bytes = piece
    else {
      if (!this.#owned || size > this.#bytes.length) this.#grow(size)
      this.#bytes.set(piece, this.#size)
    }
    this.#size = size
  }

  /** All bytes. A view, valid until the next `add` or `take`. */
  get bytes(): Uint8Array {
    return this.#size === this.#bytes.length ? this.#bytes : this.#bytes.subarray(0, this.#size)
  }

  /** Returns all bytes, which then belong to the caller, and empties the block. */
  take(): Uint8Array {
    const { bytes } = this
    this.#bytes = nothing
    this.#size = 0
    this.#owned = false
    return bytes
  }

  #grow(size: number): void {
    const twice = Math.max(leastCapacity, Math.min(2 * this.#bytes.length, this.#most))
    const believed = this.#told >= size && (size >= large || 4 * size >= this.#told)
    const capacity = Math.max(size, believed ? this.#told : twice)
    const { buffer } = this.#bytes
    const larger = new Uint8Array(capacity)
    larger.set(this.#bytes.subarray(0, this.#size))
    // Frees a large old block at once; nobody keeps a view of a block while it grows.
    if (this.#owned && this.#size >= large && buffer instanceof ArrayBuffer) buffer.transfer(0)
    this.#bytes = larger
    this.#owned = true
  }
}

const nothing = new Uint8Array(0)

/** Joins chunks into one; a single chunk is returned as it is. */
export function concat(chunks: readonly Uint8Array[], size = chunks.reduce((sum, { length }) => sum + length, 0)) {
  if (chunks.length === 1) return chunks[0] as Uint8Array
  const whole = new Uint8Array(size)
  let at = 0
  for (const bytes of chunks) {
    whole.set(bytes, at)
    at += bytes.length
  }
  return whole
}
