import type { Context } from 'hono'
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
  send(context, { status, headers, body }, client) {
    if (!isStream(body)) return new Response(body as Uint8Array<ArrayBuffer>, { status, headers: { ...headers } })
    const streaming = { 'cache-control': 'no-cache, no-transform', 'x-accel-buffering': 'no' }
    if (body.native) return new Response(body.native, { status, headers: { ...headers, ...streaming } })
    const { readable, writable } = identity()
    holdOpen(context, write(body, writable, client))
    return new Response(readable, { status, headers: { ...headers, ...streaming } })
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

declare const IdentityTransformStream: typeof TransformStream | undefined

/** The cheapest way from code to a response, and on Workers the only one onto which the runtime carries by itself. */
function identity(): TransformStream<Uint8Array, Uint8Array> {
  return typeof IdentityTransformStream === 'function' ? new IdentityTransformStream() : new TransformStream()
}

/** Whoever looks on while the runtime carries a stream would be dropped with the handler's return. */
function holdOpen(context: Context, over: Promise<void>): void {
  try {
    context.executionCtx.waitUntil(over)
  } catch {
    // Not on Workers: there is no such context, and nothing is dropped.
  }
}

/** Bytes that may be on their way to the client before the source is asked to pause. */
const highWater = 64 * 1024

/** Writes a stream as it comes. Resolves when all has gone out or the client has left. */
function write(body: ByteStream, writable: WritableStream<Uint8Array>, client: Abort): Promise<void> {
  return new Promise((resolve) => {
    let unsent = 0
    let paused = false
    const leave = (reason: unknown) => {
      // In this order: what the abort breaks must not be told to a reader who is gone.
      body.cancel(reason)
      client.abort(new GatewayError('gone', 'The client left.'))
      resolve()
    }
    let writer: WritableStreamDefaultWriter<Uint8Array> | undefined
    /** The one writer, where code feeds the stream; until somebody does, and while it is carried, there is none. */
    const feed = () => {
      if (writer) return writer
      const taken = writable.getWriter()
      // One that has been given back says the same as one whose reader has left.
      taken.closed.catch((reason) => writer === taken && leave(reason))
      writer = taken
      return taken
    }
    body.pipe({
      chunk(bytes) {
        unsent += bytes.length
        if (unsent > highWater && !paused) {
          paused = true
          body.pause()
        }
        feed()
          .write(bytes)
          .then(() => {
            unsent -= bytes.length
            if (!paused || unsent > highWater) return
            paused = false
            body.resume()
          }, leave)
      },
      end: () => (writer ?? writable).close().then(resolve, leave),
      fail: (error) => (writer ?? writable).abort(error).then(resolve, leave),
      carry(rest) {
        const given = writer
        writer = undefined
        given?.releaseLock()
        return rest.pipeTo(writable, { preventClose: true, preventAbort: true })
      },
    })
  })
}
