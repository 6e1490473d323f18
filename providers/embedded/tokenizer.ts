import type { GgufFile } from './gguf.ts'

const CONTROL = 3
const USER_DEFINED = 4
const UNUSED = 5

// Contractions, then words, numbers and punctuation with the space before them, then the remaining white space.
const WORDS = /'(?:[stmd]|re|ve|ll)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu

/** A byte-level BPE vocabulary: converts text to token ids, and ids to bytes. */
export class Tokenizer {
  readonly size: number
  /** Ids that end an answer. */
  readonly endIds: ReadonlySet<number>
  /** Used for an empty prompt, since the model needs a token to continue. */
  readonly beginId: number
  /** Ids without text: control tokens that don't end the answer, and padding of the vocabulary. */
  readonly silentIds: readonly number[]
  readonly #bytes: readonly Uint8Array[]
  readonly #special = new Map<string, number>()
  readonly #specialPattern: RegExp
  readonly #byteIds = new Uint16Array(256)
  /** Maps a pair of ids, as `left * size + right`, to its rank in the merge list and the merged id. */
  readonly #merges = new Map<number, { rank: number; id: number }>()

  constructor(gguf: GgufFile) {
    const tokens = gguf.metadata.get('tokenizer.ggml.tokens') as string[]
    const types = gguf.metadata.get('tokenizer.ggml.token_type') as number[]
    const merges = gguf.metadata.get('tokenizer.ggml.merges') as string[]
    const eos = gguf.metadata.get('tokenizer.ggml.eos_token_id') as number
    this.size = tokens.length
    this.beginId = gguf.metadata.get('tokenizer.ggml.bos_token_id') as number

    const ids = new Map(tokens.map((token, id) => [token, id]))
    this.endIds = new Set([eos, this.beginId, ids.get('<|im_end|>') ?? eos])
    const { byteOf, charOf } = byteAlphabet()
    this.#bytes = tokens.map((token, id) => tokenBytes(token, types[id] as number, byteOf))
    this.silentIds = tokens.map((_, id) => id).filter((id) => this.bytes(id).length === 0 && !this.endIds.has(id))
    for (let byte = 0; byte < 256; byte++) this.#byteIds[byte] = ids.get(charOf[byte] as string) as number
    merges.forEach((merge, rank) => {
      const [left, right] = merge.split(' ') as [string, string]
      const key = (ids.get(left) as number) * this.size + (ids.get(right) as number)
      this.#merges.set(key, { rank, id: ids.get(left + right) as number })
    })
    for (const [token, id] of ids) {
      if (types[id] === CONTROL || types[id] === USER_DEFINED) this.#special.set(token, id)
    }
    const longestFirst = [...this.#special.keys()].sort((a, b) => b.length - a.length)
    this.#specialPattern = new RegExp(
      `(${longestFirst.map((token) => token.replace(/[|\\{}()[\]^$+*?.]/g, '\\$&')).join('|')})`,
    )
  }

  /** Token ids of `text`; names of special tokens, such as `<|im_start|>`, become those tokens. */
  encode(text: string): number[] {
    const out: number[] = []
    const utf8 = new TextEncoder()
    for (const part of text.split(this.#specialPattern)) {
      const special = this.#special.get(part)
      if (special !== undefined) out.push(special)
      else for (const [word] of part.matchAll(WORDS)) this.#encodeWord(utf8.encode(word), out)
    }
    return out
  }

  /** Token ids of UTF-8 text that may start inside a character. */
  encodeBytes(bytes: Uint8Array): number[] {
    const start = bytes.findIndex((byte) => byte < 0x80 || byte > 0xbf)
    const cut = start < 0 ? bytes.length : start
    const head = Array.from(bytes.subarray(0, cut), (byte) => this.#byteIds[byte] as number)
    return [...head, ...this.encode(new TextDecoder().decode(bytes.subarray(cut)))]
  }

  /** The id of a special token, or -1 if the vocabulary lacks it. */
  specialId(token: string): number {
    return this.#special.get(token) ?? -1
  }

  /** The bytes of one token, possibly part of a character; empty for control and unused tokens. */
  bytes(id: number): Uint8Array {
    return this.#bytes[id] as Uint8Array
  }

  decode(ids: readonly number[]): string {
    const text = new TextStream()
    return ids.map((id) => text.push(this.bytes(id))).join('') + text.end()
  }

  // One pass per merge rule, joining all its occurrences: a pass per occurrence would be quadratic for a long word
  // without spaces (base64, a row of dashes).
  #encodeWord(bytes: Uint8Array, out: number[]): void {
    let ids = Array.from(bytes, (byte) => this.#byteIds[byte] as number)
    for (;;) {
      let best: { rank: number; id: number } | undefined
      let bestKey = -1
      for (let i = 0; i + 1 < ids.length; i++) {
        const key = (ids[i] as number) * this.size + (ids[i + 1] as number)
        const merge = this.#merges.get(key)
        if (merge && (!best || merge.rank < best.rank)) [best, bestKey] = [merge, key]
      }
      if (!best) break
      const merged: number[] = []
      for (let i = 0; i < ids.length; i++) {
        const joins = i + 1 < ids.length && (ids[i] as number) * this.size + (ids[i + 1] as number) === bestKey
        merged.push(joins ? best.id : (ids[i] as number))
        if (joins) i++
      }
      ids = merged
    }
    for (const id of ids) out.push(id)
  }
}

/** Joins the bytes of tokens into text, without splitting characters. */
export class TextStream {
  readonly #decoder = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true })

  /** The characters completed by `bytes`; the bytes of an incomplete one are kept for the next call. */
  push(bytes: Uint8Array): string {
    return this.#decoder.decode(bytes, { stream: true })
  }

  /** U+FFFD if the text ends inside a character, else nothing. */
  end(): string {
    return this.#decoder.decode()
  }
}

function tokenBytes(token: string, type: number, byteOf: ReadonlyMap<string, number>): Uint8Array {
  if (type === CONTROL || type === UNUSED) return new Uint8Array(0)
  if (type === USER_DEFINED) return new TextEncoder().encode(token)
  return Uint8Array.from(token, (char) => byteOf.get(char) as number)
}

/**
 * These vocabularies write every byte as a printable character: printable Latin-1 as itself, and the rest, in order, as
 * the characters from U+0100 on.
 */
function byteAlphabet(): { charOf: string[]; byteOf: Map<string, number> } {
  const printable = (byte: number) =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff)
  let next = 0x100
  const charOf = Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(printable(byte) ? byte : next++))
  return { charOf, byteOf: new Map(charOf.map((char, byte) => [char, byte])) }
}
