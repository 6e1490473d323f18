import type { Socket } from './socket.ts'
import type { ByteSource, Step } from './stream.ts'

/** An answer in OpenAI's format: whole, or a stream in progress. */
export interface Answer {
  readonly status: number
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | StreamBody | PendingStream
  /** The open WebSocket, if one was asked for. The body is empty then. */
  readonly socket?: Socket
}

/** A streamed answer as data: the source of its bytes, and the steps applied to them, innermost first. */
export interface StreamBody {
  readonly source: ByteSource
  readonly steps: readonly Step[]
}

/** A stream yet to start: meanwhile the client gets `comment` every `ms` milliseconds. `pending` never rejects. */
export interface PendingStream {
  readonly pending: Promise<LateStream>
  readonly ms: number
  readonly comment: Uint8Array
}

export interface LateStream {
  /** Sent before the stream. */
  readonly opening: Uint8Array
  readonly stream: StreamBody
}

export function isStream(body: Answer['body']): body is StreamBody {
  return 'source' in body
}

export function isPending(body: Answer['body']): body is PendingStream {
  return 'pending' in body
}

/** Adds a step outside the existing ones. A whole answer is returned unchanged. */
export function withStep(answer: Answer, step: Step): Answer {
  const { body } = answer
  if (isStream(body)) return { ...answer, body: followedBy(body, step) }
  if (!isPending(body)) return answer
  const pending = body.pending.then(({ opening, stream }) => ({ opening, stream: followedBy(stream, step) }))
  return { ...answer, body: { ...body, pending } }
}

/** Calls `action` once the answer is over: at once for a whole one, at its end for a stream, however that comes. */
export function whenOver(answer: Answer, action: () => void): Answer {
  if (answer.body instanceof Uint8Array) action()
  return withStep(answer, { over: action, carried: 'skip' })
}

/** Drops an answer that nobody takes. */
export function discard({ body }: Answer): void {
  if (isStream(body)) discardStream(body)
  else if (isPending(body)) void body.pending.then(({ stream }) => discardStream(stream))
}

export function discardStream({ source, steps }: StreamBody): void {
  source.cancel('The client left.')
  closeSteps(steps)
}

/** Tells the steps of a stream that it is over. Whoever runs the steps calls it, once. */
export function closeSteps(steps: readonly Step[]): void {
  for (const { over } of steps) over?.()
}

function followedBy({ source, steps }: StreamBody, step: Step): StreamBody {
  return { source, steps: [...steps, step] }
}
