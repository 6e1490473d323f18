import type { Signal } from './signal.ts'
import type { ByteSource } from './stream.ts'

/** An HTTP request to an upstream. */
export interface UpstreamRequest {
  /** Who is asked, as errors tell it: the provider's name, since an address is nobody else's business. */
  readonly name: string
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** In pieces, so that a large one need not be copied to change a name in it. */
  readonly body: readonly Uint8Array[]
}

/** An HTTP answer as it came: any status, headers in lower case, content decoded. */
export interface UpstreamResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: ByteSource
}

/**
 * Carries a request to an upstream. Rejects with a `GatewayError` of kind `network` when none answers, and with the
 * signal's reason when that is aborted; the signal also cuts a body that is still coming. Never follows redirects:
 * a key would follow them.
 */
export type Transport = (request: UpstreamRequest, signal: Signal) => Promise<UpstreamResponse>
