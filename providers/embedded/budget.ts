import type { Matcher } from './grammar.ts'
import type { Tokenizer } from './tokenizer.ts'

/**
 * Makes a text end within a number of tokens: it allows a token only if the text can still be closed after it. If not
 * even the shortest ending fits, it allows every token of the grammar, and the limit cuts the text.
 */
export class Budget {
  readonly #tokenizer: Tokenizer
  readonly #matcher: Matcher
  /** Tokens that complete the current text and fit into the limit: always available as a way to end it. */
  #way: readonly number[] | undefined
  /** Endings as tokens, by their bytes: most tokens of a vocabulary share the same few. */
  readonly #ends = new Map<string, readonly number[]>()

  /** `left` is the number of tokens that may still come. */
  constructor(tokenizer: Tokenizer, matcher: Matcher, left: number) {
    this.#tokenizer = tokenizer
    this.#matcher = matcher
    const way = this.#encode(matcher.shortestEnd()?.text())
    this.#way = way && way.length <= left ? way : undefined
  }

  /** Whether the grammar allows a token, and the text can still be ended with `left` more. */
  allows(id: number, left: number): boolean {
    const bytes = this.#tokenizer.bytes(id)
    if (!this.#way) return this.#matcher.shortestEnd(bytes) !== undefined
    if (id === this.#way[0]) return true
    const end = this.#matcher.shortestEnd(bytes)
    if (!end) return false
    // Every token is at least one byte.
    return end.size <= left || (this.#encode(end.text())?.length ?? Number.POSITIVE_INFINITY) <= left
  }

  /** Continues the text with a token that was allowed. */
  accept(id: number): void {
    this.#matcher.accept(this.#tokenizer.bytes(id))
    if (!this.#way) return
    const way = this.#encode(this.#matcher.shortestEnd()?.text()) ?? []
    const known = id === this.#way[0] ? this.#way.slice(1) : way
    this.#way = known.length < way.length ? known : way
  }

  #encode(bytes: Uint8Array | undefined): readonly number[] | undefined {
    if (!bytes) return
    const key = bytes.join()
    const known = this.#ends.get(key)
    if (known) return known
    const ids = this.#tokenizer.encodeBytes(bytes)
    this.#ends.set(key, ids)
    return ids
  }
}
