import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { type Answer, done, finishes, roles, said, wholeAnswer } from './answers.ts'

/** One request as it reached the upstream, and how to answer it. */
export interface Attempt {
  readonly answer: Answer
  /** Words of each choice that are sent before a fault in the middle. */
  readonly cut: number
  /** The fault waits until the client has read content; otherwise it may share a packet with the content. */
  readonly waits: boolean
  /** Every event is written separately. */
  readonly pieces: boolean
  readonly response: ServerResponse
  readonly socket: Socket
  /** Resolves once the client has read content. */
  readonly heard: Promise<void>
}

export type Act = (attempt: Attempt) => unknown

export const sse = { 'content-type': 'text/event-stream' }

/** Writes events and waits until they were handed to the system. */
export async function write({ response, pieces }: Attempt, frames: readonly string[]): Promise<void> {
  for (const text of pieces ? frames : [frames.join('')]) {
    await new Promise<void>((written) => response.write(text, () => written()))
    // A turn of the event loop, so that every piece is a separate packet.
    if (pieces) await new Promise((turn) => setImmediate(turn))
  }
}

/** Answers without a fault. */
export const answerWell: Act = async (attempt) => {
  const { answer, response } = attempt
  if (!answer.streams) return response.writeHead(200, { 'content-type': 'application/json' }).end(wholeAnswer(answer))
  response.writeHead(200, sse)
  await write(attempt, [...roles(answer), ...said(answer), ...finishes(answer), done])
  response.end()
}

/** Opens a stream with its roles and no content. */
export const opening =
  (then: Act): Act =>
  async (attempt) => {
    attempt.response.writeHead(200, sse)
    await write(attempt, roles(attempt.answer))
    await then(attempt)
  }

/** Sends the first words of a stream before the fault. */
export const begun =
  (then: Act, head: Readonly<Record<string, string>> = {}): Act =>
  async (attempt) => {
    const { answer, cut, response, waits, heard } = attempt
    response.writeHead(200, { ...sse, ...head })
    await write(attempt, [...roles(answer), ...said(answer, 0, cut)])
    if (waits) await heard
    await then(attempt)
  }

/** Writes these events, then goes on. */
export const writing =
  (frames: (answer: Answer, cut: number) => readonly string[], then: Act): Act =>
  async (attempt) => {
    await write(attempt, frames(attempt.answer, attempt.cut))
    await then(attempt)
  }

/** Ends the answer as its framing requires. */
export const end: Act = ({ response }) => response.end()
/** Closes the connection cleanly, whether or not the answer is complete. */
export const close: Act = ({ socket }) => socket.end()
/** Resets the connection. This drops what the other side has not read, so wait first if that must arrive. */
export const reset: Act = ({ socket }) => socket.resetAndDestroy()
/** Sends nothing more. */
export const hang: Act = ({ response }) => response.flushHeaders()
