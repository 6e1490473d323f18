import { EventStage, jsonIn } from '../../core/event-stage.ts'
import type { Emit } from '../../core/stream.ts'
import { isObject } from '../../wire/json.ts'
import { eventEnd, LF } from '../../wire/sse.ts'

const decoder = new TextDecoder()

/**
 * Takes out the chunk that only tells of the usage, for clients that haven't asked for it: some read `choices[0]` of
 * every chunk. All other bytes stay as they are.
 */
export class HiddenUsage extends EventStage {
  protected override pass(events: Uint8Array, emit: Emit): void {
    // Looked at only where it may be: the word stands in no other chunk of most servers.
    if (!mayHold(events)) {
      emit(events)
      return
    }
    let kept = 0
    for (let at = 0; at < events.length; ) {
      const end = eventEnd(events, at)
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
    while (bytes[next] === space || bytes[next] === LF) next++
    if (bytes[next] === close) return true
  }
  return false
}

const [open, close, space] = [91, 93, 32] as const

function isOnlyUsage(event: Uint8Array): boolean {
  if (!mayHold(event)) return false
  const chunk = jsonIn(decoder.decode(event))
  return Array.isArray(chunk?.choices) && chunk.choices.length === 0 && isObject(chunk.usage)
}
