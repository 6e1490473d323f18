import type { Edge } from '../app.ts'
import { isStream } from '../core/call.ts'
import { Abort } from '../core/signal.ts'
import { type ByteStream, concat } from '../core/stream.ts'
import { GatewayError } from '../wire/errors.ts'
import { tooLarge } from './body-limit.ts'

/** The way in and out of everything that speaks `Request` and `Response`: Workers, and tests without a port. */
export const fetchEdge: Edge<object> = {
  headers:
    ({ req }) =>
    (name) =>
      req.header(name),
  async readBody({ req }, limit) {
    const length = Number(req.header('content-length') ?? Number.NaN)
    if (length > limit) throw tooLarge(limit)
    // Told in advance and kept to by the runtime: no need to count.
    if (length >= 0) return new Uint8Array(await req.raw.arrayBuffer())
    const chunks: Uint8Array[] = []
    let size = 0
    for await (const chunk of req.raw.body ?? []) {
      size += chunk.length
      if (size > limit) throw tooLarge(limit)
      chunks.push(chunk)
    }
    return concat(chunks, size)
  },
  send(_context, { status, headers, body }, client) {
    if (!isStream(body)) return new Response(body as Uint8Array<ArrayBuffer>, { status, headers: { ...headers } })
    const streaming = { 'cache-control': 'no-cache, no-transform', 'x-accel-buffering': 'no' }
    return new Response(readable(body, client), { status, headers: { ...headers, ...streaming } })
  },
  watch({ req }) {
    const client = new Abort()
    const { signal } = req.raw
    const leave = () => client.abort(new GatewayError('gone', 'The client left.'))
    if (signal?.aborted) leave()
    signal?.addEventListener('abort', leave)
    return client
  },
}

function readable(body: ByteStream, client: Abort): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    start(controller) {
      body.pipe({
        chunk(bytes) {
          controller.enqueue(bytes)
          if ((controller.desiredSize ?? 0) <= 0) body.pause()
        },
        end: () => controller.close(),
        fail: (error) => controller.error(error),
      })
    },
    pull: () => body.resume(),
    cancel(reason) {
      // In this order: what the abort breaks must not be told to a reader who is gone.
      body.cancel(reason)
      client.abort(new GatewayError('gone', 'The client left.'))
    },
  })
}
