import type { Clock } from '../../core/clock.ts'
import { readRetryAfter } from '../../core/retry-after.ts'
import type { Transport, UpstreamResponse } from '../../core/transport.ts'
import { isObject, type JsonObject, objectAt, tryParse } from '../../wire/json.ts'
import { readPartialSuccess } from './protobuf/partial-success.ts'
import type { SignalSettings } from './signal.ts'

export interface Sending {
  readonly transport: Transport
  readonly clock: Pick<Clock, 'now'>
}

/** What came of a request to a collector. */
export type Sent =
  /** `rejected`: of what was sent, how much it did not take; `said`: why, or a warning. */
  | { readonly taken: true; readonly rejected: number; readonly said: string | undefined }
  /** `again`: the same may be sent again, at the earliest after `waitMs` if it says so. */
  | { readonly taken: false; readonly why: string; readonly again: boolean; readonly waitMs: number | undefined }

/** All others say that a further try can't help. */
const passing = [429, 502, 503, 504]
const protobuf = 'application/x-protobuf'
/** Bytes of an answer that is read. */
const mostRead = 64 * 1024
const tooLong = new Error('The answer is too long.')

/**
 * Sends by OTLP/HTTP, once. Never rejects. It goes the way that requests to models go: on Node, `fetch` copies each body twice.
 * https://opentelemetry.io/docs/specs/otlp/#otlphttp
 */
export async function send(
  body: Uint8Array<ArrayBuffer>,
  settings: SignalSettings,
  { transport, clock }: Sending,
): Promise<Sent> {
  const { url, timeout, gzip } = settings
  try {
    const request = {
      ...{ name: 'The collector', method: 'POST', url, headers: headersOf(settings), connectTimeout: timeout },
      body: [gzip ? await packed(body) : body],
    }
    const response = await transport(request, AbortSignal.timeout(timeout))
    if (isOk(response)) return { taken: true, ...partial(await told(response)) }
    response.body.cancel(new Error('It is not read.'))
    const again = passing.includes(response.status)
    return {
      taken: false,
      why: `answered ${response.status}`,
      again,
      waitMs: again ? waitOf(response, clock) : undefined,
    }
  } catch (thrown) {
    const late = thrown instanceof Error && thrown.name === 'TimeoutError'
    // The error's own words may have the address in them, and that a key.
    const why = late ? `did not answer within ${timeout / 1000} s` : 'could not be reached'
    return { taken: false, why, again: true, waitMs: undefined }
  }
}

function headersOf({ headers, gzip, isJSON }: SignalSettings): Record<string, string> {
  return {
    'user-agent': 'samewire',
    ...headers,
    'content-type': isJSON ? 'application/json' : protobuf,
    ...(gzip && { 'content-encoding': 'gzip' }),
  }
}

function isOk({ status }: UpstreamResponse): boolean {
  return status >= 200 && status < 300
}

function waitOf({ headers }: UpstreamResponse, clock: Pick<Clock, 'now'>): number | undefined {
  const { 'retry-after': after } = headers
  if (after === undefined) return undefined
  const now = clock.now()
  return readRetryAfter({
    headers: { 'retry-after': after },
    body: undefined,
    message: '',
    passes: true,
    limited: true,
    now,
  })
}

/** What the collector says of what it took, whichever way it says it. */
async function told({ headers, body }: UpstreamResponse): Promise<JsonObject> {
  const bytes = await body
    .collect(mostRead, () => tooLong)
    .catch((error: unknown) => {
      if (error === tooLong) return new Uint8Array()
      throw error
    })
  if (headers['content-type']?.includes(protobuf)) return { ...readPartialSuccess(bytes) }
  const answer = tryParse(new TextDecoder().decode(bytes))
  return (isObject(answer) ? objectAt(answer, 'partialSuccess') : undefined) ?? {}
}

function partial(told: JsonObject): { readonly rejected: number; readonly said: string | undefined } {
  const { rejectedSpans, rejectedDataPoints, errorMessage } = told
  // 64 bits are a string in JSON, and some write a number all the same.
  const rejected = Number(rejectedSpans ?? rejectedDataPoints ?? 0)
  const said = typeof errorMessage === 'string' && errorMessage !== '' ? errorMessage.slice(0, 500) : undefined
  return { rejected: Number.isFinite(rejected) ? rejected : 0, said }
}

async function packed(body: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([body]).stream().pipeThrough(new CompressionStream('gzip'))
  return new Uint8Array(await new Response(stream).arrayBuffer())
}
