import type { Emit, Stage } from '../../core/stream.ts'
import { HalfEvent } from '../../wire/half-event.ts'
import { isObject, tryParse } from '../../wire/json.ts'
import { EventReader } from '../../wire/sse.ts'

const decoder = new TextDecoder()

/**
 * Takes out the chunk that only tells of the usage, for clients that haven't asked for it: some read `choices[0]` of
 * every chunk. All other bytes stay as they are.
 */
export class HiddenUsage implements Stage {
  readonly #half = new HalfEvent()

  chunk(bytes: Uint8Array, emit: Emit): void {
    const whole = this.#half.add(bytes)
    if (whole) this.#pass(whole, emit)
  }

  end(emit: Emit): void {
    const half = this.#half.take()
    if (half.length > 0) this.#pass(half, emit)
  }

  fail(error: unknown, emit: Emit): void {
    this.end(emit)
    throw error
  }

  #pass(events: Uint8Array, emit: Emit): void {
    // Looked at only where it may be: the word stands in no other chunk of most servers.
    if (!mayHold(events)) {
      emit(events)
      return
    }
    let kept = 0
    for (let at = 0; at < events.length; ) {
      const end = endOfEvent(events, at)
      if (isOnlyUsage(events.subarray(at, end))) {
        if (at > kept) emit(events.subarray(kept, at))
        kept = end
      }
      at = end
    }
    if (kept < events.length) emit(kept === 0 ? events : events.subarray(kept))
  }
}

/** `[]` is all that such a chunk has for choices. */
function mayHold(bytes: Uint8Array): boolean {
  for (let at = bytes.indexOf(open); at >= 0; at = bytes.indexOf(open, at + 1)) {
    let next = at + 1
    while (bytes[next] === space || bytes[next] === lineFeed) next++
    if (bytes[next] === close) return true
  }
  return false
}

const [open, close, space, lineFeed, carriageReturn] = [91, 93, 32, 10, 13] as const

/** Where the event that begins at `from` ends, with its blank line. */
function endOfEvent(bytes: Uint8Array, from: number): number {
  let isBlank = false
  for (let at = from; at < bytes.length; at++) {
    const byte = bytes[at]
    if (byte === carriageReturn) continue
    if (byte !== lineFeed) isBlank = false
    else if (isBlank) return at + 1
    else isBlank = true
  }
  return bytes.length
}

function isOnlyUsage(event: Uint8Array): boolean {
  if (!mayHold(event)) return false
  const [read] = new EventReader().read(new TextEncoder().encode(`${decoder.decode(event)}\n\n`))
  const chunk = read && tryParse(read.data)
  return isObject(chunk) && Array.isArray(chunk.choices) && chunk.choices.length === 0 && isObject(chunk.usage)
}
