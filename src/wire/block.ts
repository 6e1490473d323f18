/** Bytes that are allocated for a second piece at least. */
const leastCapacity = 4 * 1024
/** Bytes that must be there before room for all that was told is made: telling a length costs a client nothing. */
const large = 256 * 1024

/**
 * Bytes that come in pieces, kept in one growing block: a piece costs its bytes, not an object of its own. The first
 * piece is kept as it is and copied only when another one comes, since most bodies are one piece.
 */
export class Block {
  readonly #most: number
  readonly #told: number
  #bytes: Uint8Array = nothing
  #size = 0
  /** The block is ours to write to. */
  #owned = false

  /**
   * `most`: the bytes that it is meant to hold, beyond which it never allocates unless more are added. `told`: how many
   * there will be, according to whoever sends them; a large body is then copied once on its way.
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

  /** All bytes. A view: valid until the next `add` or `take`. */
  get bytes(): Uint8Array {
    return this.#size === this.#bytes.length ? this.#bytes : this.#bytes.subarray(0, this.#size)
  }

  /** All bytes, which are the caller's from now on; the block is empty again. */
  take(): Uint8Array {
    const { bytes } = this
    this.#bytes = nothing
    this.#size = 0
    this.#owned = false
    return bytes
  }

  #grow(size: number): void {
    const twice = Math.max(leastCapacity, Math.min(2 * this.#bytes.length, this.#most))
    const capacity = Math.max(size, size >= large && this.#told >= size ? this.#told : twice)
    const { buffer } = this.#bytes
    const larger = new Uint8Array(capacity)
    larger.set(this.#bytes.subarray(0, this.#size))
    // Frees at once what a large block leaves behind; nobody keeps a view of one while it grows.
    if (this.#owned && this.#size >= large && buffer instanceof ArrayBuffer) buffer.transfer(0)
    this.#bytes = larger
    this.#owned = true
  }
}

const nothing = new Uint8Array(0)
