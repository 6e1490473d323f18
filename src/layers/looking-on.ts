import type { Ending, Watch } from '../core/stream.ts'
import type { StreamReader } from '../core/stream-reader.ts'
import { concat } from '../wire/block.ts'
import { HalfEvent } from '../wire/half-event.ts'
import type { JsonObject } from '../wire/json.ts'
import { done, eventEnd, truncated } from '../wire/sse.ts'
import { afterHalf, afterTypedHalf } from '../wire/unfinished.ts'
import { EventFollower } from './follow.ts'
import { blankLine, isWhole, type Words } from './stream-faults.ts'

const nothing: readonly Uint8Array[] = []

/** Observes a stream that a runtime forwards by itself, and returns at the end what is missing. */
export class LookingOn implements Watch {
  readonly #follower: EventFollower
  readonly #reader: StreamReader
  readonly #words: Words
  readonly #half = new HalfEvent()
  /** The error that the upstream has reported, which has already gone out unchanged. */
  #told: { readonly error: unknown } | undefined

  constructor(reader: StreamReader, words: Words) {
    this.#reader = reader
    this.#words = words
    this.#follower = new EventFollower(reader)
  }

  get complete(): boolean {
    return this.#follower.ended && this.#reader.complete
  }

  see(bytes: Uint8Array): void {
    const whole = this.#half.add(bytes)
    if (!whole) return
    for (let rest = whole; rest.length > 0; ) {
      const stop = this.#follower.follow(rest)
      if (!stop) break
      if ('fault' in stop && 'told' in stop.fault) this.#told = { error: stop.fault.told }
      rest = rest.subarray(eventEnd(rest, stop.at))
    }
  }

  ended({ failure, seen }: Ending): readonly Uint8Array[] | undefined {
    if (!seen) return failure && this.#brokenAfter(new Uint8Array(0), this.#words.broke(failure.error))
    const half = this.#half.take()
    const whole = half.length > 0 && isWhole(half)
    if (whole) this.#follower.follow(concat([half, blankLine]))
    // An error alone doesn't end a stream whose events say themselves how it ended.
    if (this.#told && this.#reader.broken && !this.#reader.complete)
      return this.#brokenAfter(half, this.#words.told(this.#told.error))
    if (this.#told || (this.#follower.ended && this.#reader.complete)) return half.length > 0 ? [blankLine] : nothing
    const { complete, isOver, survivesBreak = isOver } = this.#reader
    if (survivesBreak || (complete && !failure)) return this.#end(half)
    return this.#brokenAfter(half, this.#words.broke(failure ? failure.error : truncated()))
  }

  #brokenAfter(half: Uint8Array, envelope: JsonObject): readonly Uint8Array[] {
    this.#follower.catchUp()
    const hasMore = this.#told !== undefined || half.length > 0
    const [event, ...rest] = this.#reader.broken?.(envelope, this.#words.services, { hasMore }) ?? []
    return event ? [afterTypedHalf(half, event), ...rest] : [afterHalf(half, envelope)]
  }

  #end(half: Uint8Array): readonly Uint8Array[] {
    if (this.#reader.endsItself) return half.length > 0 ? [blankLine] : nothing
    return [half.length > 0 ? afterHalf(half) : done]
  }
}
