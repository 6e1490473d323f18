import { type Answer, discardStream, isPending, isStream, type StreamBody } from '../core/answer.ts'
import type { Clock } from '../core/clock.ts'
import { Pump } from '../core/pump.ts'
import type { ByteSource } from '../core/stream.ts'
import { type Flow, flow } from '../runtime/flow.ts'

/** What has to be done before a client is told more. Undefined: nothing. Never rejects. */
export type Awaited = () => Promise<unknown> | undefined

/** The same answer; once there is something to wait for, the rest of its stream goes out after that. */
export function heldBack(answer: Answer, awaited: Awaited, clock: Clock): Answer {
  const { body } = answer
  const held = (stream: StreamBody): StreamBody => ({ source: sourceOf(stream, awaited, clock), steps: [] })
  if (isStream(body)) return { ...answer, body: held(body) }
  if (!isPending(body)) return answer
  const pending = body.pending.then(({ opening, stream }) => ({ opening, stream: held(stream) }))
  return { ...answer, body: { ...body, pending } }
}

function sourceOf(stream: StreamBody, awaited: Awaited, clock: Clock): ByteSource {
  let flowing: Flow | undefined
  let isPaused = false
  const pump = new Pump({
    start() {
      flowing = flow(stream, sink, clock)
      if (isPaused) flowing.pause()
    },
    pause() {
      isPaused = true
      flowing?.pause()
    },
    resume() {
      isPaused = false
      flowing?.resume()
    },
    cancel(reason) {
      if (flowing) flowing.cancel(reason)
      else discardStream(stream)
    },
  })
  let waiting: Promise<unknown> | undefined
  const inTurn = (tell: () => void) => {
    waiting ??= awaited()
    if (waiting) waiting = waiting.then(tell)
    else tell()
  }
  const sink = {
    chunk: (bytes: Uint8Array) => inTurn(() => pump.push(bytes)),
    end: () => inTurn(() => pump.finish()),
    fail: (error: unknown) => inTurn(() => pump.break(error)),
  }
  return pump
}
