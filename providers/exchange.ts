import type { Exchange, ServedRequest } from '../src/core/served.ts'
import type { UpstreamResponse } from '../src/core/transport.ts'
import { fromBase64 } from '../src/wire/base64.ts'
import { GatewayError, shorten } from '../src/wire/errors.ts'
import { isObject, type JsonObject, tryParse } from '../src/wire/json.ts'

/** Bytes of an answer: an image or a recording. */
const most = 64 * 1024 * 1024

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** A 2xx response. Rejects with what any other reports. */
export async function fetched(request: ServedRequest, exchange: Exchange): Promise<UpstreamResponse> {
  const response = await request.send(exchange)
  if (response.status < 200 || response.status > 299) throw await request.refusal(response)
  return response
}

export function posted(
  request: ServedRequest,
  url: string,
  body: JsonObject,
  headers: Readonly<Record<string, string>> = {},
): Promise<UpstreamResponse> {
  return fetched(request, { url, headers, type: 'application/json', body: [encoder.encode(JSON.stringify(body))] })
}

export function bytesOf({ body }: UpstreamResponse): Promise<Uint8Array> {
  return body.collect(most, () => malformed(`more than ${most} bytes`))
}

export function typeOf({ headers }: Pick<UpstreamResponse, 'headers'>): string {
  return headers['content-type'] ?? 'application/octet-stream'
}

export async function jsonOf(response: UpstreamResponse): Promise<JsonObject> {
  const json = tryParse(decoder.decode(await bytesOf(response)))
  if (!isObject(json)) throw malformed('no JSON object')
  return json
}

export function malformed(what: string): GatewayError {
  return new GatewayError('protocol', `The upstream answered with ${what}.`)
}

/** What a task that failed says for itself. */
export function failed(why: unknown): GatewayError {
  const words = typeof why === 'string' && why !== '' ? shorten(why, 500) : 'it did not say why'
  return new GatewayError(
    /\bnsfw\b|content (policy|moderation)|flagged/i.test(words) ? 'content_policy' : 'upstream',
    `The upstream failed: ${words}`,
  )
}

/** A file that an answer names: as a `data:` URL, or by address. */
export async function fileOf(
  request: ServedRequest,
  url: unknown,
): Promise<{ readonly bytes: Uint8Array; readonly type: string }> {
  if (typeof url !== 'string') throw malformed('no file')
  const [, type = 'application/octet-stream', base64] = /^data:([^;,]*)[^,]*;base64,(.*)$/s.exec(url) ?? []
  if (base64 !== undefined) {
    const bytes = fromBase64(base64)
    if (!bytes) throw malformed('broken base64')
    return { bytes, type }
  }
  const file = await request.download(url)
  return { bytes: file.body, type: typeOf(file) }
}
