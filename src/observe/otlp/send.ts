import type { Clock } from '../../core/clock.ts'
import { readRetryAfter } from '../../core/retry-after.ts'
import { concat } from '../../wire/block.ts'
import { isObject, type JsonObject, objectAt, tryParse } from '../../wire/json.ts'
import { readPartialSuccess } from './protobuf/partial-success.ts'
import type { SignalSettings } from './signal.ts'

export interface Sending {
  readonly fetch: typeof fetch
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
/** Bytes of an answer that are read. */
const mostRead = 64 * 1024

/** Sends by OTLP/HTTP, once. Never rejects. https://opentelemetry.io/docs/specs/otlp/#otlphttp */
export async function send(
  body: string | Uint8Array<ArrayBuffer>,
  settings: SignalSettings,
  { fetch, clock }: Sending,
): Promise<Sent> {
  const { url, headers, timeout, gzip, isJSON } = settings
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'user-agent': 'samewire',
        ...headers,
        'content-type': isJSON ? 'application/json' : protobuf,
        ...(gzip && { 'content-encoding': 'gzip' }),
      },
      body: gzip ? await packed(body) : body,
      // The headers are secrets, and not for whomever the collector names.
      redirect: 'manual',
      signal: AbortSignal.timeout(timeout),
    })
    if (response.ok) return { taken: true, ...partial(await told(response)) }
    await response.body?.cancel().catch(() => {})
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

function waitOf({ headers }: Response, clock: Pick<Clock, 'now'>): number | undefined {
  const after = headers.get('retry-after')
  if (after === null) return undefined
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
async function told(response: Response): Promise<JsonObject> {
  const bytes = await opening(response)
  if (response.headers.get('content-type')?.includes(protobuf)) return { ...readPartialSuccess(bytes) }
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

async function opening({ body }: Response): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let size = 0
  if (!body) return new Uint8Array()
  for await (const bytes of body) {
    parts.push(bytes)
    size += bytes.length
    if (size > mostRead) break
  }
  return concat(parts, size)
}

async function packed(body: string | Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([body]).stream().pipeThrough(new CompressionStream('gzip'))
  return new Uint8Array(await new Response(stream).arrayBuffer())
}
