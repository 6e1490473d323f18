import type { Signal } from './signal.ts'
import type { ByteSource } from './stream.ts'

/** An HTTP request to an upstream. */
export interface UpstreamRequest {
  /** The name for errors: that of the provider, because its address must not be revealed. */
  readonly name: string
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** In pieces, so that changing a name in a large body needs no copy. */
  readonly body: readonly Uint8Array[]
  /** Milliseconds for making a connection, where the runtime tells that from waiting for the answer: on Node only. */
  readonly connectTimeout: number
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
