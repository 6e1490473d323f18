import type { Lacking, StreamJoiner } from '../core/operation.ts'
import type { Emit } from '../core/stream.ts'
import type { StreamReader } from '../core/stream-reader.ts'
import { concat } from '../wire/block.ts'
import { EventReader, eventEnd } from '../wire/sse.ts'
import { WholeEvents } from '../wire/whole-events.ts'

interface Readers {
  readonly reader: StreamReader
  readonly joiner: StreamJoiner
  readonly lacking: Lacking
}

/**
 * A stream that may turn out to be less than was asked for. It passes as it comes, byte for byte, but until all has begun
 * its end is held back, and what is about all of it: more may have to follow.
 */
export class FirstPart {
  readonly #readers: Readers
  readonly #whole = new WholeEvents()
  readonly #events = new EventReader()
  #held: Uint8Array[] = []
  /** Whether the upstream has said that it is complete. */
  ended = false

  constructor(readers: Readers) {
    this.#readers = readers
  }

  get complete(): boolean {
    return this.ended || this.#readers.reader.complete
  }

  chunk(bytes: Uint8Array, emit: Emit): void {
    const { lacking } = this.#readers
    const whole = lacking.isWhole ? bytes : this.#whole.read(bytes)
    for (let at = 0; at < whole.length && !this.ended; ) {
      const end = lacking.isWhole ? whole.length : eventEnd(whole, at)
      const piece = whole.subarray(at, end)
      if (lacking.isWhole) emit(piece)
      else this.#event(piece, emit)
      at = end
    }
    const begun = lacking.isWhole ? this.#whole.rest() : undefined
    if (begun?.length) emit(begun)
  }

  /** Some servers omit the last blank line. */
  end(emit: Emit): void {
    const rest = this.#whole.rest()
    if (rest.length > 0 && !this.ended) this.#event(concat([rest, blankLine]), emit)
  }

  #event(bytes: Uint8Array, emit: Emit): void {
    const { reader, joiner, lacking } = this.#readers
    const [event] = this.#events.read(bytes)
    if (event && reader.see(event) === 'end') {
      this.ended = true
      return
    }
    if (event) lacking.see(event)
    if (event && joiner.noted(event)) {
      this.#held.push(bytes)
      return
    }
    for (const earlier of this.#held) emit(earlier)
    this.#held = []
    emit(bytes)
  }
}

const blankLine = new TextEncoder().encode('\n\n')
