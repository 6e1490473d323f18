import { type Answer, isPending, isStream, withStep } from '../core/answer.ts'
import type { Emit, Stage } from '../core/stream.ts'
import { concat } from '../wire/block.ts'
import { EventReader, LF, type ServerEvent } from '../wire/sse.ts'

/** How a dialect sends the events of a stream, if not as server-sent events. */
export interface Framing {
  /** The content type. */
  readonly type: string
  /** Before the first event, between two, after each of them, and after the last one. */
  readonly start?: string
  readonly between?: string
  readonly after?: string
  readonly end?: string
  /** What breaks a silence: nothing to the client, but bytes on the wire. */
  readonly beat: string
}

/** An answer whose stream, if it is one, is in this form. The data of its events are sent as they are. */
export function reframed(answer: Answer, framing: Framing): Answer {
  const { body } = answer
  const headers = { ...answer.headers, 'content-type': framing.type }
  const stage = new Reframed(framing)
  const step = { stage, carried: 'never' } as const
  if (isStream(body)) return withStep({ ...answer, headers }, step)
  if (!isPending(body)) return answer
  const pending = body.pending.then(({ opening, stream }) => ({ opening: begun(stage, opening), stream }))
  return withStep({ ...answer, headers, body: { ...body, pending, comment: encoder.encode(framing.beat) } }, step)
}

/** What a stream opens with, which no step gets to see: comments, or the error that is all of it. */
function begun(stage: Stage, opening: Uint8Array): Uint8Array {
  const pieces: Uint8Array[] = []
  if (opening.length > 0) stage.chunk(opening, (bytes) => pieces.push(bytes))
  return concat(pieces)
}

class Reframed implements Stage {
  readonly #framing: Framing
  readonly #reader = new EventReader()
  #events = 0

  constructor(framing: Framing) {
    this.#framing = framing
  }

  chunk(bytes: Uint8Array, emit: Emit): void {
    const text = this.#textOf(this.#reader.read(bytes))
    // What breaks a silence is the only chunk that holds no event and begins so: a comment, or an empty event.
    if (text !== '') emit(encoder.encode(text))
    else if (bytes[0] === colon || bytes[0] === LF) emit(encoder.encode(this.#framing.beat))
  }

  end(emit: Emit): void {
    const { start = '', end = '' } = this.#framing
    const last = this.#textOf(this.#reader.end())
    const text = this.#events === 0 ? start + end : last + end
    if (text !== '') emit(encoder.encode(text))
  }

  #textOf(events: readonly ServerEvent[]): string {
    const { start = '', between = '', after = '' } = this.#framing
    let text = ''
    for (const { data } of events) {
      if (data === '' || data === '[DONE]') continue
      text += (this.#events++ === 0 ? start : between) + data + after
    }
    return text
  }
}

const encoder = new TextEncoder()
const colon = 0x3a
