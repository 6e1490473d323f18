import type { Signal } from './signal.ts'
import type { ByteSource } from './stream.ts'

/** An HTTP request to an upstream. */
export interface UpstreamRequest {
  /** The name for errors: that of the provider, because its address must not be revealed. */
  readonly name: string
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** In pieces, so that changing a name in a large body needs no copy. */
  readonly body: readonly Uint8Array[]
  /** What follows `body`, sent as it arrives. It can be read only once; once that has begun, nothing is sent again. */
  readonly rest?: Rest | undefined
  /** Whether whoever pays for it has a budget: nothing is sent twice then without being charged twice. */
  readonly isPaid?: boolean | undefined
  /** Milliseconds for making a connection, where the runtime tells that from waiting for the answer: on Node only. */
  readonly connectTimeout: number
}

/** The end of a body that is still arriving. */
export interface Rest {
  readonly source: ByteSource
  /** In bytes, if that is known. */
  readonly length?: number | undefined
  /** To be called before it is read. Throws if it may not be: it can be read only once. */
  begin?(): void
  /** To be called when all of it was sent. */
  sent?(): void
}

/** Bytes of the whole body, if that is known. */
export function lengthOf({ body, rest }: UpstreamRequest): number | undefined {
  const known = body.reduce((sum, { length }) => sum + length, 0)
  if (!rest) return known
  return rest.length === undefined ? undefined : known + rest.length
}

/** An HTTP response as received: any status, header names in lower case, content decoded. */
export interface UpstreamResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: ByteSource
}

/**
 * Sends a request to an upstream. Rejects with a `GatewayError` of kind `network` if nothing answers, and with the
 * signal's reason if that is aborted; the signal also aborts a body in progress. Never follows redirects, because the
 * request carries the API key.
 */
export type Transport = (request: UpstreamRequest, signal: Signal) => Promise<UpstreamResponse>
