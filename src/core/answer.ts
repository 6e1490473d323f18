import type { ByteSource, Step } from './stream.ts'

/** An answer on the OpenAI wire: whole, or a stream that is still coming. */
export interface Answer {
  readonly status: number
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | StreamBody | PendingStream
}

/** A streamed answer as data: where its bytes come from, and what is done to them, innermost first. */
export interface StreamBody {
  readonly source: ByteSource
  readonly steps: readonly Step[]
}

/** A stream that the client is told of before it is there: every `ms` it gets `comment` instead. Never rejects. */
export interface PendingStream {
  readonly pending: Promise<LateStream>
  readonly ms: number
  readonly comment: Uint8Array
}

export interface LateStream {
  /** Goes out before the stream. */
  readonly opening: Uint8Array
  readonly stream: StreamBody
}

export function isStream(body: Answer['body']): body is StreamBody {
  return 'source' in body
}

export function isPending(body: Answer['body']): body is PendingStream {
  return 'pending' in body
}

/** The answer with one more step, outside those that it has; a whole answer takes none. */
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
