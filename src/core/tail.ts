import { isObject, tryParse } from '../wire/json.ts'
import { EventReader } from '../wire/sse.ts'
import { concat } from './stream.ts'

/**
 * What is kept of the end of a stream, where its finish is looked for: pieces in which an event ends, at least so many
 * bytes, and all that lies between, up to a bound.
 */
const tailPieces = 8
const tailSize = 4 * 1024
const tailBound = 32 * 1024 * 1024

/** What an event that tells of an error holds somewhere. */
const someError = /"error"/

/** A finish reason that is not `null`; servers that mean "none" by an empty text are told apart by parsing. */
const someFinish = /"finish_reason"\s*:\s*"/

/** The last events of a stream, whatever came before: there its finish is looked for, once, when it has ended. */
export class Tail {
  readonly #pieces: { readonly bytes: Uint8Array; readonly endsEvent: boolean }[] = []
  #size = 0
  /** Pieces in which an event ends. */
  #ends = 0

  add(bytes: Uint8Array, endsEvent: boolean): void {
    this.#pieces.push({ bytes, endsEvent })
    this.#size += bytes.length
    if (endsEvent) this.#ends++
    for (let first = this.#pieces[0]; first && this.#canDo(first); first = this.#pieces[0]) {
      this.#pieces.shift()
      this.#size -= first.bytes.length
      if (first.endsEvent) this.#ends--
    }
  }

  /** Whether there is enough without the first piece. */
  #canDo({ bytes, endsEvent }: { readonly bytes: Uint8Array; readonly endsEvent: boolean }): boolean {
    if (this.#size > tailBound) return true
    const ends = endsEvent ? this.#ends - 1 : this.#ends
    return ends >= tailPieces && this.#size - bytes.length >= tailSize
  }

  #all(): Uint8Array {
    return concat(this.#pieces.map(({ bytes }) => bytes))
  }

  /** The event that has not ended, as far as it is still here. */
  half(): Uint8Array {
    const bytes = this.#all()
    return bytes.subarray(lastBoundary(bytes))
  }

  /** `done`: told by the upstream itself; `finished`: all but `[DONE]`; `told`: an error; `cut`: no finish reason. */
  state(): 'done' | 'finished' | 'told' | 'cut' {
    const reader = new EventReader()
    let finished = false
    let ended = false
    for (const { data, event } of [...reader.read(this.#all()), ...reader.end()]) {
      if (data === '[DONE]') ended = true
      // Nearly all events of a stream have none of these: only those that seem to are worth parsing.
      const mayTell = event === 'error' || someError.test(data)
      if (!mayTell && (finished || !someFinish.test(data))) continue
      const chunk = tryParse(data)
      if (mayTell && isObject(chunk) && (event === 'error' || chunk.error)) return 'told'
      const choices = isObject(chunk) && Array.isArray(chunk.choices) ? chunk.choices : []
      finished ||= choices.some((choice) => isObject(choice) && Boolean(choice.finish_reason))
    }
    if (!finished) return 'cut'
    return ended ? 'done' : 'finished'
  }
}

/** The index behind the last blank line: everything before it is whole events. The other two came before `bytes`. */
export function lastBoundary(bytes: Uint8Array, last = 0, lastButOne = 0): number {
  for (let at = bytes.length - 1; at >= 0; at--) {
    const byte = bytes[at]
    if (byte !== 10 && byte !== 13) continue
    const before = at > 0 ? bytes[at - 1] : last
    if (byte === before) return at + 1
    if (byte === 13 || before !== 13) continue
    const twoBefore = at > 1 ? bytes[at - 2] : at === 1 ? last : lastButOne
    if (twoBefore === 10) return at + 1
  }
  return 0
}
