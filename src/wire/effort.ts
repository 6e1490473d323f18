import { Distinct } from './distinct.ts'
import { GatewayError } from './errors.ts'

/** Levels of nesting; the deepest JSON schemas seen in tools stay under 40. */
export const depthLimit = 256
/** Members of the body itself, of which OpenAI's requests have under 50. */
export const fieldLimit = 4_096
/** Different keys that any body may have, and the bytes for each that a large one has. */
const keyLimit = 2_048
const bytesPerKey = 128
/** Keys, texts, lists and objects that any body may have, and the bytes for each that a large one has. */
const partLimit = 50_000
const bytesPerPart = 64
/** Commas that count as a part: numbers are quick to read, and a prompt of tokens has many. */
const commasPerPart = 16

const comma = 44
const opening = { list: 91, object: 123 }
const closing = { list: 93, object: 125 }

/**
 * What a body asks of a parser, counted while its bytes are read. Parsing a new key takes hundreds of times as long as
 * another byte of a text does, so the bytes of a body alone don't bound how long it holds the event loop.
 */
export class Effort {
  readonly #keys: Distinct
  readonly #keyLimit: number
  readonly #partLimit: number
  #depth = 0
  #fields = 1
  /** In commas. */
  #left: number

  constructor(bytes: Uint8Array) {
    this.#keyLimit = Math.max(keyLimit, Math.floor(bytes.length / bytesPerKey))
    this.#partLimit = Math.max(partLimit, Math.floor(bytes.length / bytesPerPart))
    this.#left = this.#partLimit * commasPerPart
    this.#keys = new Distinct(bytes, this.#keyLimit)
  }

  /** Counts a text. Throws the 400 when that is one too many. */
  text(): void {
    this.#spend(commasPerPart)
  }

  /** Counts a key, which stands from `start` to `end`. Throws the 400 when that is one too many. */
  key(start: number, end: number): void {
    this.#spend(commasPerPart)
    this.#keys.add(start, end)
    if (this.#keys.count > this.#keyLimit) throw refusal(`has more than ${this.#keyLimit} different keys`)
  }

  /** Counts a byte between the strings. Throws the 400 when what it opens or parts is one too many. */
  mark(byte: number): void {
    if (byte === comma) {
      if (this.#depth === 1 && ++this.#fields > fieldLimit) throw refusal(`has more than ${fieldLimit} fields`)
      this.#spend(1)
    } else if (byte === opening.list || byte === opening.object) {
      if (++this.#depth > depthLimit) throw tooDeep()
      this.#spend(commasPerPart)
    } else if (byte === closing.list || byte === closing.object) this.#depth--
  }

  #spend(commas: number): void {
    this.#left -= commas
    if (this.#left < 0) throw refusal(`has more than ${this.#partLimit} keys, texts, lists and objects`)
  }
}

export function tooDeep(): GatewayError {
  return refusal(`nests deeper than ${depthLimit} levels`)
}

function refusal(why: string): GatewayError {
  return new GatewayError('bad_request', `The JSON body ${why}.`)
}
