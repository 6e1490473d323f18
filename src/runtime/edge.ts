import type { Context } from 'hono'
import type { Flights } from '../cache/flying.ts'
import type { Answer } from '../core/answer.ts'
import type { Clock } from '../core/clock.ts'
import type { Abort } from '../core/signal.ts'
import type { Rest } from '../core/transport.ts'
import type { Accepted } from '../core/upgrade.ts'
import type { HeaderReader } from '../wire/headers.ts'

/** Bytes of an upload that is sent on as it arrives: the largest file that OpenAI takes has 512 MB. */
export const uploadLimit = 1024 * 1024 * 1024

/** How a runtime talks to its clients: the only place where Node and Workers differ for requests and responses. */
export interface Edge<Bindings extends object> {
  /** Reads request headers by lower-case name. */
  headers(context: Context<{ Bindings: Bindings }>): HeaderReader
  /** Reads the request body. Rejects with a 413 as soon as more than `limit` bytes have arrived. */
  readBody(context: Context<{ Bindings: Bindings }>, limit: number): Promise<Uint8Array>
  /**
   * The request body as it arrives. Fails with a 413 as soon as more than `limit` bytes have arrived, or been unpacked.
   * `encoding`: the value of `content-encoding` if it is to be unpacked. Throws a 415 if the runtime can't do that.
   */
  openBody(context: Context<{ Bindings: Bindings }>, limit: number, encoding?: string): Rest
  /** Sends an answer; a stream is written as it arrives. */
  send(context: Context<{ Bindings: Bindings }>, answer: Answer, client: Abort): Response
  /** Does work that outlasts the response, if the runtime allows that. `work` never rejects. */
  afterwards(context: Context<{ Bindings: Bindings }>, work: () => Promise<void>): void
  /** Opens the client's WebSocket. Absent: the runtime's server does that, before the app gets the request. */
  accept?(accepted: Accepted): Response
  /** What a request may join that others are getting. Absent: what the gateway has. */
  flights?(context: Context<{ Bindings: Bindings }>): Flights | undefined
  /** Aborted when the client leaves. */
  watch(context: Context<{ Bindings: Bindings }>): Abort
}

export interface EdgeOptions {
  readonly clock: Clock
  /** Milliseconds after which a client that reads nothing of its answer is disconnected. */
  readonly writeTimeout: number
}
