import type { Context } from 'hono'
import type { Answer } from '../core/answer.ts'
import type { Clock } from '../core/clock.ts'
import type { Abort } from '../core/signal.ts'
import type { HeaderReader } from '../wire/headers.ts'

/** How a runtime talks to its clients: the one place where Node and Workers differ on the way in and out. */
export interface Edge<Bindings extends object> {
  /** Reads request headers by their lower-case names. */
  headers(context: Context<{ Bindings: Bindings }>): HeaderReader
  /** The request's body. Rejects with a 413 as soon as more than `limit` bytes have come. */
  readBody(context: Context<{ Bindings: Bindings }>, limit: number): Promise<Uint8Array>
  /** Sends an answer; a stream is written as it comes. */
  send(context: Context<{ Bindings: Bindings }>, answer: Answer, client: Abort): Response
  /** Aborted when the client leaves. */
  watch(context: Context<{ Bindings: Bindings }>): Abort
}

export interface EdgeOptions {
  readonly clock: Clock
  /** Milliseconds after which a client that takes nothing of its answer is given up. */
  readonly writeTimeout: number
}
