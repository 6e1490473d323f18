import type { Context } from 'hono'
import { tooLarge } from '../runtime/body-limit.ts'
import type { Edge } from '../runtime/edge.ts'
import { parseBody, type RequestBody } from '../wire/body.ts'
import { GatewayError } from '../wire/errors.ts'
import { type HeaderReader, headerValue, isJson } from '../wire/headers.ts'

type Reading<Bindings extends object> = [edge: Edge<Bindings>, context: Context<{ Bindings: Bindings }>, limit: number]

/** Reads a request of JSON, unpacked if it is compressed. `limit`: bytes. */
export function readJson<Bindings extends object>(...reading: Reading<Bindings>): Promise<RequestBody> {
  return readBytes(...reading).then(parseBody)
}

/** The body of a request, unpacked if it is compressed. `limit`: bytes. */
export function readBytes<Bindings extends object>(...[edge, context, limit]: Reading<Bindings>): Promise<Uint8Array> {
  const encoding = encodingOf(edge.headers(context))
  if (encoding === undefined) return edge.readBody(context, limit)
  const { source } = edge.openBody(context, limit, encoding)
  return source.collect(limit, () => tooLarge(limit))
}

/** Throws the 415 for a request that says it is no JSON. */
export function checkContent(header: HeaderReader): void {
  const type = header('content-type')
  if (type !== undefined && !isJson(type)) {
    throw new GatewayError(
      'bad_request',
      `Invalid Content-Type header (${headerValue(type).slice(0, 100)}), expected application/json.`,
      { status: 415, code: 'unsupported_content_type' },
    )
  }
}

/** How the request's body is compressed, if it is. */
export function encodingOf(header: HeaderReader): string | undefined {
  const encoding = header('content-encoding')
  return encoding === undefined || /^\s*(identity)?\s*$/i.test(encoding) ? undefined : encoding
}

/** The headers of a request, with the key that its query may hold instead. */
export function withKeyIn(parameter: string, url: string, header: HeaderReader): HeaderReader {
  const key = new URL(url).searchParams.get(parameter)
  return key === null ? header : (name) => header(name) ?? (name === 'x-api-key' ? key : undefined)
}
