import { chunksOf } from '../core/sources.ts'
import { lengthOf, type Transport, type UpstreamRequest } from '../core/transport.ts'
import { concat } from '../wire/block.ts'
import { GatewayError } from '../wire/errors.ts'
import { fetchSource, type NativeSource } from './fetch-source.ts'

/** Sends requests through `fetch`, the only HTTP client on Workers. */
export function createFetchTransport(send: typeof fetch): Transport {
  return async function transport(request, signal) {
    signal.throwIfAborted()
    // A real AbortSignal of our own: Workers ignore the incoming request's signal for subrequests.
    const abort = new AbortController()
    signal.addEventListener('abort', () => abort.abort(signal.reason))
    const response = await send(request.url, {
      method: request.method,
      headers: request.headers,
      ...bodyOf(request),
      redirect: 'manual',
      signal: abort.signal,
    }).catch((error: unknown) => {
      throw signal.aborted ? signal.reason : unreachable(error, request.name)
    })
    const headers: Record<string, string> = {}
    response.headers.forEach((value, name) => {
      headers[name] = value
    })
    return { status: response.status, headers, body: fetchSource(response, signal) }
  }
}

function bodyOf(request: UpstreamRequest): RequestInit {
  // Not every runtime's types know `duplex`, which Node asks for.
  if (request.rest) return { body: uploadOf(request), duplex: 'half' } as RequestInit
  const body = concat(request.body) as Uint8Array<ArrayBuffer>
  return body.length > 0 || request.method === 'POST' ? { body } : {}
}

declare const FixedLengthStream: (new (length: number) => TransformStream<Uint8Array, Uint8Array>) | undefined

/** A body that is still arriving. On Workers a length is announced only for a stream of this kind. */
function uploadOf(request: UpstreamRequest): ReadableStream<Uint8Array> {
  const length = lengthOf(request)
  const { readable, writable } =
    length !== undefined && typeof FixedLengthStream === 'function'
      ? new FixedLengthStream(length)
      : new TransformStream<Uint8Array, Uint8Array>()
  void pour(request, writable)
  return readable
}

/** Writes a body as it arrives. If that breaks off, so does the request. */
async function pour({ body, rest }: UpstreamRequest, writable: WritableStream<Uint8Array>): Promise<void> {
  const writer = writable.getWriter()
  let begun = false
  try {
    for (const bytes of body) await writer.write(bytes)
    rest?.begin?.()
    begun = true
    const native = rest && 'native' in rest.source ? (rest.source as NativeSource).native() : undefined
    if (native) {
      writer.releaseLock()
      await native.pipeTo(writable)
    } else {
      if (rest) for await (const bytes of chunksOf(rest.source)) await writer.write(bytes)
      await writer.close()
    }
    rest?.sent?.()
  } catch (error) {
    // Another attempt may read it.
    if (begun) rest?.source.cancel(error)
    await writer.abort(error).catch(() => {})
  }
}

export function unreachable(error: unknown, name: string): GatewayError {
  return new GatewayError('network', `${name} can't be reached.`, { cause: error })
}
