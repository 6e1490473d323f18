import { Distinct } from './distinct.ts'
import { GatewayError } from './errors.ts'

/** Levels of nesting; the deepest JSON schemas seen in tools have under 40. */
export const depthLimit = 256
/** Top-level fields of a body; OpenAI's requests have under 50. */
export const fieldLimit = 4_096
/** What a body may have. */
export interface EffortLimits {
  /** Different keys. */
  readonly names: number
  /** Keys, texts, lists and objects. */
  readonly parts: number
}

/** For a request. */
const requestLimits: EffortLimits = { names: 2_048, parts: 50_000 }
/** For an answer: enough for 9,000 tokens with 20 alternatives each, which older models send as keys. */
export const answerLimits: EffortLimits = { names: 32_768, parts: 1_250_000 }
/** The bytes for each that raise the limits for a large body. */
const bytesPerName = 256
const bytesPerPart = 64
/** Commas that count as one part: numbers are quick to parse, and a prompt of tokens has many. */
const commasPerPart = 16

const comma = 44
const zero = 48
const nine = 57
const opening = { list: 91, object: 123 }
const closing = { list: 93, object: 125 }

/**
 * Estimates the work that a body makes for a parser, while its bytes are read. Parsing a new key takes hundreds of
 * times as long as another byte of a text, so the size of a body alone doesn't limit how long it blocks the event loop.
 */
export class Effort {
  readonly #bytes: Uint8Array
  readonly #names: Distinct
  readonly #nameLimit: number
  readonly #partLimit: number
  #depth = 0
  #fields = 1
  /** What is left of the limit of parts, in commas. */
  #left: number

  constructor(bytes: Uint8Array, { names, parts } = requestLimits) {
    this.#bytes = bytes
    this.#nameLimit = Math.max(names, Math.floor(bytes.length / bytesPerName))
    this.#names = new Distinct(bytes, this.#nameLimit)
    this.#partLimit = Math.max(parts, Math.floor(bytes.length / bytesPerPart))
    this.#left = this.#partLimit * commasPerPart
  }

  /** Counts a text. Throws a 400 at one too many. */
  text(): void {
    this.#spend(commasPerPart)
  }

  /** Counts a key with quotes at `start` and `end - 1`. Throws a 400 at one too many. */
  key(start: number, end: number): void {
    this.#spend(commasPerPart)
    // V8 stores numeric keys without a name for each. A `logit_bias` for many tokens has thousands of them.
    if (isIndex(this.#bytes, start + 1, end - 1)) this.#spend(commasPerPart)
    else if (this.#names.exceeds(start, end)) throw refusal(`has more than ${this.#nameLimit} different keys`)
  }

  /** Counts a byte outside strings: commas and brackets. Throws a 400 at one too many. */
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
    if (this.#left < 0)
      throw refusal(`has more than ${this.#partLimit} parts (keys, texts, lists, objects, or ${commasPerPart} numbers)`)
  }
}

/** Quotes, and brackets of either kind, up to which JSON is parsed about as fast as JSON without any. */
const fewMarks = 100_000

/**
 * Whether JSON makes so little work, whatever its size, that no estimate is needed: it is long texts or numbers. Takes
 * a small part of the time of an estimate, since engines search for one character many bytes at a time.
 */
export function isPlain(text: string): boolean {
  return ['"', '[', '{'].every((mark) => {
    let left = fewMarks
    for (let at = text.indexOf(mark); at >= 0; at = text.indexOf(mark, at + 1)) if (--left < 0) return false
    return true
  })
}

/** Whether the bytes are a number that V8 stores as an index. */
function isIndex(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start > 9 || start === end || (bytes[start] === zero && end - start > 1)) return false
  for (let at = start; at < end; at++) if ((bytes[at] as number) < zero || (bytes[at] as number) > nine) return false
  return true
}

export function tooDeep(): GatewayError {
  return refusal(`nests deeper than ${depthLimit} levels`)
}

function refusal(why: string): GatewayError {
  return new GatewayError('bad_request', `The JSON body ${why}.`)
}
