import { GatewayError } from './errors.ts'

/** Counts the gateways that a request has passed, so that one that is its own upstream doesn't call itself for ever. */
export const hopsHeader = 'x-samewire-hops'

/** By which a client chooses the provider for what the gateway doesn't serve itself, and is told of it. */
export const providerHeader = 'x-samewire-provider'

/** Reads a request header by its lower-case name. */
export type HeaderReader = (name: string) => string | undefined

/** Headers that browser clients may read. */
const exposed = [
  'x-request-id',
  'retry-after',
  'retry-after-ms',
  'x-should-retry',
  'openai-processing-ms',
  'openai-version',
  'x-ratelimit-limit-requests',
  'x-ratelimit-limit-tokens',
  'x-ratelimit-remaining-requests',
  'x-ratelimit-remaining-tokens',
  'x-ratelimit-reset-requests',
  'x-ratelimit-reset-tokens',
  'x-samewire-model',
  'x-samewire-attempts',
  'x-samewire-reason',
  'x-samewire-dropped',
  'x-samewire-trace',
  'x-samewire-notice',
  'x-samewire-cache',
  'age',
  'idempotent-replayed',
  'x-samewire-upstream-request-id',
  providerHeader,
  'openai-organization',
].join(', ')

/** Headers that an API has beside OpenAI's. */
export interface OwnHeaders {
  /** By which its clients know a request. */
  readonly id: string
  /** Those that browser clients may read too, as in the header that says so. */
  readonly exposed: string
}

/** The headers of every answer, including errors and streams. `ms` is the time spent so far. */
export function wireHeaders(requestId: string, ms: number, own?: OwnHeaders): Record<string, string> {
  return {
    ...(own && { [own.id]: requestId }),
    'x-request-id': requestId,
    // A whole number: openai-python 0.27 fails on anything else.
    'openai-processing-ms': String(Math.max(0, Math.round(ms))),
    'openai-version': '2020-10-01',
    'access-control-allow-origin': '*',
    'access-control-expose-headers': own ? `${exposed}, ${own.exposed}` : exposed,
  }
}

/**
 * The answer to a browser's preflight request. It repeats the requested headers: every SDK version adds its own
 * (`x-stainless-*`), and `*` would not cover `Authorization`.
 */
export function preflightHeaders(requested: string | undefined): Record<string, string> {
  return {
    'access-control-allow-methods': 'GET, POST, PUT, PATCH, DELETE, OPTIONS, HEAD',
    'access-control-allow-headers': requested ?? 'authorization, content-type',
    'access-control-max-age': '86400',
    vary: 'access-control-request-headers',
  }
}

/** Makes a value that every HTTP stack accepts: names come from clients and upstreams and may contain anything. */
export function headerValue(value: string): string {
  return value.replace(/[^\x20-\x7e]/g, (character) => encodeURIComponent(character.isWellFormed() ? character : '?'))
}

/** Whether a content type is JSON: `application/json`, or one that ends in `+json`. */
export function isJson(contentType: string): boolean {
  return /^application\/([\w.+-]+\+)?json\s*(;|$)/i.test(contentType)
}

/** More gateways in a row than this are taken for a loop. */
const mostHops = 4

/** How many gateways a request has passed through. Throws if they are too many. */
export function readHops(header: HeaderReader): number {
  const hops = Number(header(hopsHeader) ?? 0)
  if (!Number.isInteger(hops) || hops < 0) return 0
  if (hops <= mostHops) return hops
  throw new GatewayError('loop', 'The request goes round in circles: a provider of this gateway leads back to it.')
}
