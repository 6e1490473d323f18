import type { ByteSource, Step } from './stream.ts'

/** An answer in OpenAI's format: whole, or a stream in progress. */
export interface Answer {
  readonly status: number
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | StreamBody | PendingStream
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

function followedBy({ source, steps }: StreamBody, step: Step): StreamBody {
  return { source, steps: [...steps, step] }
}
