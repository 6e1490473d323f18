import type { Signal } from './signal.ts'

/** A file at an address that a caller named, as received. Header names are in lower case. */
export interface Download {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

export interface DownloadOptions {
  readonly signal: Signal
  /** Whether an IP address may be connected to. A runtime that resolves names asks it for each that a name resolves to. */
  readonly mayConnect: (address: string) => boolean
  /** Told of the bytes as they come; false: no more is wanted. */
  readonly take: (bytes: number) => boolean
}

/**
 * One GET without credentials, cookies or redirects. Rejects if nothing answers, the signal aborts, or `take` returns
 * false; and with a `ForbiddenAddress` before a connection is made to an address that `mayConnect` rejects.
 */
export type Downloader = (url: URL, options: DownloadOptions) => Promise<Download>

export class ForbiddenAddress extends Error {
  override readonly name = 'ForbiddenAddress'
}
