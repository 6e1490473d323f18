import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import type { Answer } from './answers.ts'
import type { Wire } from './wires.ts'

/** One request as it reached the upstream, and how to answer it. */
export interface Attempt {
  readonly answer: Answer
  readonly wire: Wire
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
  /** Closes the connection when the next request arrives on it. */
  doom(): void
}

export type Act = (attempt: Attempt) => unknown

export const json = { 'content-type': 'application/json' }

/** Writes events and waits until they were handed to the system. */
export async function write({ response, pieces }: Attempt, frames: readonly string[]): Promise<void> {
  for (const text of pieces ? frames : [frames.join('')]) {
    await new Promise<void>((written) => response.write(text, () => written()))
    // A turn of the event loop, so that every piece is a separate packet.
    if (pieces) await new Promise((turn) => setImmediate(turn))
  }
}

/** All events of a stream. */
export function eventsOf({ answer, wire }: Attempt): string[] {
  return [...wire.roles(answer), ...wire.said(answer), ...wire.finishes(answer), ...wire.done]
}

/** Starts a stream. */
export function openStream({ response, wire }: Attempt, head: Readonly<Record<string, string>> = {}): void {
  response.writeHead(200, { 'content-type': wire.streamType, ...head })
}

/** Answers without a fault. */
export const answerWell: Act = async (attempt) => {
  const { answer, response, wire } = attempt
  if (!answer.streams) return response.writeHead(200, json).end(wire.whole(answer))
  openStream(attempt)
  await write(attempt, eventsOf(attempt))
  response.end()
}

/** Opens a stream with its roles and no content. */
export const opening =
  (then: Act): Act =>
  async (attempt) => {
    openStream(attempt)
    await write(attempt, attempt.wire.roles(attempt.answer))
    await then(attempt)
  }

/** Sends the first words of a stream before the fault. */
export const begun =
  (then: Act, head: Readonly<Record<string, string>> = {}): Act =>
  async (attempt) => {
    const { answer, cut, waits, heard, wire } = attempt
    openStream(attempt, head)
    await write(attempt, [...wire.roles(answer), ...wire.said(answer, 0, cut)])
    if (waits) await heard
    await then(attempt)
  }

/** Writes these events, then goes on. */
export const writing =
  (frames: (attempt: Attempt) => readonly string[], then: Act): Act =>
  async (attempt) => {
    await write(attempt, frames(attempt))
    await then(attempt)
  }

/** Sends a share of a whole answer. `headers` may promise more bytes. */
export const partOf =
  (headers: (length: number) => Readonly<Record<string, string>>, share: number, then: Act): Act =>
  async (attempt) => {
    const body = Buffer.from(attempt.wire.whole(attempt.answer))
    const part = body.subarray(0, Math.ceil(body.length * share))
    attempt.response.writeHead(200, { ...json, ...headers(part.length) })
    await new Promise<void>((written) => attempt.response.write(part, () => written()))
    await then(attempt)
  }

/** Writes pieces with a pause between them, until the other side has gone. */
export async function drip(
  { response }: Attempt,
  pieces: Iterable<string | Uint8Array>,
  milliseconds: number,
): Promise<void> {
  for (const piece of pieces) {
    response.write(piece)
    await wait(milliseconds)
    if (response.destroyed) return
  }
}

/** Ends the answer as its framing requires. */
export const end: Act = ({ response }) => response.end()
/** Closes the connection cleanly, whether or not the answer is complete. */
export const close: Act = ({ socket }) => socket.end()
/** Resets the connection. This drops what the other side has not read, so wait first if that must arrive. */
export const reset: Act = ({ socket }) => socket.resetAndDestroy()
/** Sends nothing more. */
export const hang: Act = ({ response }) => response.flushHeaders()
