import { CR, LF, lastLineEnd } from './sse.ts'

/** Tells data from what only keeps a connection open: comments, blank lines, empty `data`, event names. */
export class SignsOfLife {
  /** The position in the current line: at its start, in `data`, after its colon, or in a line that doesn't matter. */
  #line: 'start' | 'data' | 'value' | 'other' = 'start'
  /** Letters of `data` that the line began with. */
  #read = 0
  readonly #isEmpty: (data: Uint8Array) => boolean

  /** `isEmpty`: whether the data of a line says nothing. Lines that come in several pieces aren't put to it. */
  constructor(isEmpty: (data: Uint8Array) => boolean = () => false) {
    this.#isEmpty = isEmpty
  }

  /** Whether `bytes`, which continue the previous ones, contain data that says something. */
  heardIn(bytes: Uint8Array): boolean {
    for (let at = this.#dataFrom(bytes, 0); at >= 0; ) {
      const end = lineEnd(bytes, at)
      if (end === bytes.length || !this.#isEmpty(bytes.subarray(at, end))) {
        this.skip(bytes)
        return true
      }
      at = this.#dataFrom(bytes, end)
    }
    return false
  }

  /** Goes past bytes in which nothing is looked for: only their last line matters for those that follow. */
  skip(bytes: Uint8Array): void {
    const end = lastLineEnd(bytes)
    if (end > 0) this.#line = 'start'
    if (end < bytes.length) this.#dataFrom(bytes, end)
  }

  /** The index of the first byte of data, or -1. */
  #dataFrom(bytes: Uint8Array, from: number): number {
    for (let at = from; at < bytes.length; at++) {
      const byte = bytes[at] as number
      if (byte === LF || byte === CR) this.#line = 'start'
      else if (this.#line === 'start') this.#letter(byte, 0)
      else if (this.#line === 'data') this.#letter(byte)
      else if (this.#line === 'value' && byte !== space) return at
    }
    return -1
  }

  /** Goes on with the name of a line's field, of which `read` letters fit `data` so far. */
  #letter(byte: number, read = this.#read): void {
    if (read === name.length && byte === colon) this.#line = 'value'
    else if (byte === name[read]) this.#line = 'data'
    else this.#line = 'other'
    this.#read = read + 1
  }
}

/** The index of the CR or LF that ends the line at `from`, or the length of `bytes` if none does. */
function lineEnd(bytes: Uint8Array, from: number): number {
  let at = from
  while (at < bytes.length && bytes[at] !== LF && bytes[at] !== CR) at++
  return at
}

const colon = 58
const space = 32
const name = [100, 97, 116, 97]
