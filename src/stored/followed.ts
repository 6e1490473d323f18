import type { Answer } from '../core/answer.ts'
import { sourceFrom } from '../core/sources.ts'
import { eventsOf, type ObjectKey } from '../state/objects.ts'
import { comment, done, typedFrame } from '../wire/sse.ts'
import type { Keeping } from './keeping.ts'

/** Events that are read at once. */
const page = 200
/** Milliseconds after which a silence is broken. */
const silence = 10_000

/** The events of a response behind the one numbered `after`, as a stream that goes on for as long as it is made. */
export function followed(key: ObjectKey, after: number, keeping: Keeping): Answer {
  const source = sourceFrom(eventsFrom(key, after, keeping))
  return { status: 200, headers: { 'content-type': 'text/event-stream' }, body: { source, steps: [] } }
}

/** A stream of events that are there. */
export function replayedEvents(events: AsyncGenerator<Uint8Array>): Answer {
  return {
    status: 200,
    headers: { 'content-type': 'text/event-stream' },
    body: { source: sourceFrom(events), steps: [] },
  }
}

async function* eventsFrom(key: ObjectKey, after: number, keeping: Keeping): AsyncGenerator<Uint8Array> {
  const { objects, clock } = keeping
  let last = after
  let heard = clock.now()
  for (;;) {
    // In this order: what is over has all of its events written.
    const isRunning = ((await objects.runningUntil(key)) ?? 0) > clock.now()
    const events = await objects.itemsFrom({ owner: key.owner, parent: eventsOf(key.id) }, last, page)
    for (const { place, body } of events) {
      last = place
      yield typedFrame(body)
    }
    if (events.length > 0) heard = clock.now()
    if (events.length === page) continue
    if (!isRunning) break
    if (clock.now() - heard >= silence) {
      heard = clock.now()
      yield comment('keep-alive')
    }
    await keeping.wait(keeping.pace.look)
  }
  yield done
}
