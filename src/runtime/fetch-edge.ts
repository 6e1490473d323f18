import type { Context } from 'hono'
import type { Flights } from '../cache/flying.ts'
import { isStream } from '../core/answer.ts'
import { Abort } from '../core/signal.ts'
import { Block } from '../wire/block.ts'
import { GatewayError } from '../wire/errors.ts'
import { limited, tooLarge } from './body-limit.ts'
import type { Edge, EdgeOptions } from './edge.ts'
import { codingsOf, corrupt, unreadable } from './encodings.ts'
import { Delivery, untouched } from './fetch-delivery.ts'
import { acceptSocket, hasSockets } from './fetch-sockets.ts'
import { formats } from './fetch-source.ts'
import { RequestSource } from './request-source.ts'

/** What requests come with. */
export interface Bindings {
  /** Where they meet others. */
  readonly flights?: Flights | undefined
}

/** The edge for runtimes that use `Request` and `Response`: Workers, and tests without a port. */
export const fetchEdge = (options: EdgeOptions): Edge<object> => ({
  headers:
    ({ req }) =>
    (name) =>
      req.header(name),
  async readBody({ req }, limit) {
    const length = Number(req.header('content-length') ?? Number.NaN)
    if (length > limit) throw tooLarge(limit)
    // The runtime enforces the declared length, so we need not count.
    if (length >= 0) return new Uint8Array(await req.raw.arrayBuffer())
    const body = new Block(limit)
    for await (const chunk of req.raw.body ?? []) {
      if (body.size + chunk.length > limit) throw tooLarge(limit)
      body.add(chunk)
    }
    return body.take()
  },
  openBody({ req }, limit, encoding) {
    const { body } = req.raw
    if (encoding !== undefined && body) return limited({ source: unpacked(body, encoding) }, limit)
    const told = req.header('content-length')
    const length = told === undefined ? (body ? undefined : 0) : Number(told)
    return limited({ source: new RequestSource(length === 0 ? null : body, left), length }, limit)
  },
  send(context, { status, headers, body }, client) {
    if (body instanceof Uint8Array) {
      return new Response(body as Uint8Array<ArrayBuffer>, { status, headers: { ...headers } })
    }
    const streaming = { 'cache-control': 'no-cache, no-transform', 'x-accel-buffering': 'no' }
    const init = { status, headers: { ...headers, ...streaming } }
    const native = isStream(body) ? untouched(body) : undefined
    if (native) return new Response(native, init)
    const { readable, writable } = identity()
    holdOpen(context, new Delivery(writable, client, options).run(body))
    return new Response(readable, init)
  },
  afterwards(context, work) {
    const execution = executionOf(context)
    // Without one, as in some tests, the work might be dropped half way.
    if (execution) execution.waitUntil(work())
  },
  ...(hasSockets && { accept: acceptSocket }),
  flights: ({ env }) => (env as Bindings | undefined)?.flights,
  watch({ req }) {
    const client = new Abort()
    const { signal } = req.raw
    const leave = () => client.abort(new GatewayError('gone', 'The client left.'))
    if (signal?.aborted) leave()
    signal?.addEventListener('abort', leave)
    return client
  },
})

function left(cause: unknown): GatewayError {
  return new GatewayError('gone', 'The client left.', { cause })
}

/** A body that the client compressed. Throws a 415 for a coding that the runtime doesn't know. */
function unpacked(body: ReadableStream<Uint8Array>, encoding: string): RequestSource {
  const codings = codingsOf(encoding)
  const known = codings.map((coding) => formats.get(coding)).filter((format) => format !== undefined)
  if (known.length < codings.length) throw unreadable(encoding, formats.keys())
  const unpack = (packed: ReadableStream, format: 'gzip' | 'deflate') =>
    packed.pipeThrough(new DecompressionStream(format))
  return new RequestSource(known.reduce(unpack, body), corrupt)
}

declare const IdentityTransformStream: typeof TransformStream | undefined

/** The cheapest pipe from code to a response, and on Workers the only kind that the runtime can fill natively. */
function identity(): TransformStream<Uint8Array, Uint8Array> {
  return typeof IdentityTransformStream === 'function' ? new IdentityTransformStream() : new TransformStream()
}

/** Keeps the code that inspects a piped stream alive: Workers would drop it when the handler returns. */
function holdOpen(context: Context, over: Promise<void>): void {
  executionOf(context)?.waitUntil(over)
}

/** Undefined if this isn't a Worker's handler, where nothing is dropped. */
function executionOf(context: Context): Context['executionCtx'] | undefined {
  try {
    return context.executionCtx
  } catch {
    return undefined
  }
}
