import type { FormBody } from '../wire/form-body.ts'
import type { Clock } from './clock.ts'
import type { Download } from './download.ts'
import type { ProviderSettings } from './provider-settings.ts'
import type { Signal } from './signal.ts'
import type { Rest, UpstreamResponse } from './transport.ts'
import type { WireContext } from './wire-context.ts'

/** A request that a provider's own code answers, because it takes more than one exchange or bytes that are no JSON. */
export interface ServedRequest {
  readonly context: WireContext
  /** The client's form, if it sent one; its fields, with what the configuration changes in them, are the context's body. */
  readonly form: FormBody<Rest> | undefined
  /** Whether the client wants a stream. */
  readonly stream: boolean
  /** With the key that the request goes with. */
  readonly settings: ProviderSettings
  readonly signal: Signal
  readonly clock: Clock
  /** One exchange with the limits and the errors of all: no redirects, and a response of any status. */
  send(exchange: Exchange): Promise<UpstreamResponse>
  /** A file that an answer names by address, at a public host or at the provider itself. Rejects unless it can be had. */
  download(url: string): Promise<Download>
  /** What a response that is no 2xx reports, in the provider's words. */
  refusal(response: UpstreamResponse): Promise<Error>
}

export interface Exchange {
  readonly url: string
  /** A GET without one. */
  readonly body?: readonly Uint8Array[]
  /** What follows `body`. */
  readonly rest?: Rest | undefined
  /** The content type of the body. */
  readonly type?: string
  /** Beside the provider's own. */
  readonly headers?: Readonly<Record<string, string>>
  /** Sends neither the key nor any other header of the provider: for servers beside it. */
  readonly anonymous?: boolean
}
