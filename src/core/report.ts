import type { Money, PriceSource } from '../prices/money.ts'
import type { GatewayError } from '../wire/errors.ts'
import type { HeaderReader } from '../wire/headers.ts'
import type { JsonObject } from '../wire/json.ts'
import type { Deployment } from './catalog.ts'
import type { Conclusion } from './stream-reader.ts'
import type { Tokens } from './tokens.ts'
import type { Trace } from './trace.ts'

/**
 * How a request ended. `done`: all of its answer was sent; `failed`: the client got an error instead; `cut`: a stream
 * broke after it had begun; `gone`: the client left before the end; `unfollowed`: a stream that goes by untouched, of
 * whose end the gateway learns nothing.
 */
export type Outcome = 'done' | 'failed' | 'cut' | 'gone' | 'unfollowed'

/** What is known of a request when it arrives. */
export interface Arrival {
  readonly requestId: string
  readonly method: string
  /** See `RequestReport`. */
  readonly path: string
  readonly header: HeaderReader
  /** Milliseconds since 1970. */
  readonly started: number
  readonly trace: Trace
}

/** What one request came to, once it is over: a stream at its end. Times in milliseconds. */
export interface RequestReport {
  /** The `x-request-id` of its answer. */
  readonly requestId: string
  readonly method: string
  /** The path of its route without `/v1`, in which `{model}` stands for the model: `/chat/completions`. */
  readonly path: string
  /** Undefined if it is for no model, or was refused before it was read. */
  readonly operation: string | undefined
  /** The model that the client named. */
  readonly model: string | undefined
  /** The name of the client's key, never the key itself. */
  readonly key: string | undefined
  /** The fields of its body, without long texts and what was said. Undefined if it was not read. */
  readonly asked: JsonObject | undefined
  /** The end user whom the client speaks for, in the client's words. */
  readonly user: string | undefined
  /** Of the answer. A stream that was cut has 200. */
  readonly status: number
  readonly streams: boolean
  readonly outcome: Outcome
  /** Why it failed or was cut. */
  readonly failure: GatewayError | undefined
  readonly trace: Trace
  /** Who answered. */
  readonly served: Deployment | undefined
  /** When it arrived, since 1970. */
  readonly started: number
  /** From its arrival to its first content; undefined if there was none. */
  readonly firstMs: number | undefined
  /** From its arrival to its end. */
  readonly ms: number
  /** Undefined if the answer told of none. */
  readonly tokens: Tokens | undefined
  /** What the answer said of itself, if the request belongs to a distributed trace. */
  readonly conclusion?: Conclusion | undefined
  /** Undefined if what was used is unknown, or its price. */
  readonly cost: Money | undefined
  /** Who says what it costs; undefined if nobody does, or nothing is known to have been used. */
  readonly priceSource?: PriceSource | undefined
  /** Of the request's body. */
  readonly bytesIn: number
  /** Of the answer, as far as they went out; undefined if no observer wants to know. */
  readonly bytesOut?: number | undefined
  /** What was sent and answered, if the observer wants that. */
  readonly content?: { readonly request: Uint8Array | undefined; readonly answer: Uint8Array | undefined } | undefined
}

/** Is told of requests. What it throws goes to the log. */
export interface Observer {
  /** Whether it wants the content of requests. */
  readonly content?: boolean
  /** Whether it must know how every stream ends, also of those that would go by untouched. */
  readonly follows?: boolean
  /** A request has arrived: exactly one report follows. */
  began?(arrival: Arrival): void
  over(report: RequestReport): void
  /** Is called after each request where work goes on only as long as one of them does. Never rejects. */
  settle?(): Promise<void>
}
