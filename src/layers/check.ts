import type { Mender } from '../core/repair.ts'
import type { Emit, Stage } from '../core/stream.ts'
import type { StreamReader } from '../core/stream-reader.ts'
import { Block, concat } from '../wire/block.ts'
import type { JsonObject } from '../wire/json.ts'
import { done, eventBound, frame, lastBoundary, truncated } from '../wire/sse.ts'
import { EventFollower } from './follow.ts'
import { blankLine, endless, envelopeOf, isWhole, type Words } from './stream-faults.ts'

/**
 * Passes events on only when they are whole, checked and put right, so that an error event never lands inside another
 * event.
 */
export class Check implements Stage {
  readonly #follower: EventFollower
  readonly #reader: StreamReader
  readonly #words: Words
  readonly #mender: Mender | undefined
  /** An event that has not ended yet, and the last two bytes received. */
  readonly #held = new Block(eventBound)
  #last = 0
  #lastButOne = 0
  over = false

  constructor(reader: StreamReader, words: Words, mender: Mender | undefined) {
    this.#reader = reader
    this.#words = words
    this.#mender = mender
    this.#follower = new EventFollower(reader, mender)
  }

  get complete(): boolean {
    return this.#follower.ended
  }

  chunk(bytes: Uint8Array, emit: Emit): void {
    if (this.over || bytes.length === 0) return
    const end = lastBoundary(bytes, this.#last, this.#lastButOne)
    this.#lastButOne = bytes.length > 1 ? (bytes[bytes.length - 2] as number) : this.#last
    this.#last = bytes[bytes.length - 1] as number
    if (end === bytes.length && this.#held.size === 0) {
      this.#pass(bytes, emit)
      return
    }
    if (end > 0) {
      this.#held.add(end === bytes.length ? bytes : bytes.subarray(0, end))
      this.#pass(this.#held.take(), emit)
    }
    if (end === bytes.length || this.over) return
    if (this.#held.size + bytes.length - end > eventBound) throw endless()
    this.#held.add(end > 0 ? bytes.subarray(end) : bytes)
  }

  end(emit: Emit): void {
    this.#flush(emit)
    if (this.over || this.#follower.ended) return
    if (this.#reader.complete) {
      this.#mender?.end().forEach(emit)
      if (!this.#reader.endsItself) emit(done)
    } else this.#breakOff(this.#words.broke(truncated()), emit)
  }

  fail(error: unknown, emit: Emit): void {
    if (this.over) return
    this.#flush(emit)
    // A stream that has sent its last event needs nothing more.
    const { isOver, survivesBreak = isOver } = this.#reader
    if (!this.over && !this.#follower.ended && !survivesBreak) this.#breakOff(this.#words.broke(error), emit)
  }

  /** Passes whole events on, up to one that is a fault or ends the stream too early. */
  #pass(bytes: Uint8Array, emit: Emit): void {
    for (let rest = bytes; rest.length > 0; ) {
      const stop = this.#follower.follow(rest)
      const sound = stop?.at ?? rest.length
      if (sound > 0) emit(sound === rest.length ? rest : rest.subarray(0, sound))
      if (!stop) break
      if ('fault' in stop) {
        this.#breakOff(envelopeOf(stop.fault, this.#words), emit)
        break
      }
      stop.instead.forEach(emit)
      rest = rest.subarray(stop.end)
    }
    if (this.#follower.ended) this.over = true
  }

  /** Passes on a last event that lacks only its blank line. */
  #flush(emit: Emit): void {
    if (this.over || this.#held.size === 0) return
    const rest = this.#held.take()
    if (isWhole(rest)) this.#pass(concat([rest, blankLine]), emit)
  }

  #breakOff(envelope: JsonObject, emit: Emit): void {
    this.over = true
    this.#follower.catchUp()
    const last = this.#reader.broken?.(envelope, this.#words.services) ?? [frame(envelope)]
    last.forEach(emit)
  }
}
