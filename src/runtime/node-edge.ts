import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { HttpBindings } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { type Answer, isPending, type PendingStream, type StreamBody } from '../core/answer.ts'
import { Abort } from '../core/signal.ts'
import type { ByteSink } from '../core/stream.ts'
import { GatewayError } from '../wire/errors.ts'
import type { Edge, EdgeOptions } from './edge.ts'
import { beatUntil, type Flow, flow } from './flow.ts'
import { readIncoming } from './node-body.ts'
import { WriteTimeout } from './write-timeout.ts'

/** Node's way in and out: straight from and to the sockets, without a web stream in between. */
export const nodeEdge = (options: EdgeOptions): Edge<HttpBindings> => ({
  headers: ({ env }) => {
    const { headers } = env.incoming
    return (name) => {
      const value = headers[name]
      return Array.isArray(value) ? value.join(', ') : value
    }
  },
  readBody: ({ env }, limit) => readIncoming(env.incoming, limit),
  send({ env }, answer, client) {
    sendAnswer(env.outgoing, answer, client, options)
    return RESPONSE_ALREADY_SENT
  },
  watch({ env }) {
    const client = new Abort()
    const { outgoing } = env
    outgoing.once('close', () => {
      if (!outgoing.writableFinished) client.abort(new GatewayError('gone', 'The client left.'))
    })
    return client
  },
})

function sendAnswer(outgoing: ServerResponse, answer: Answer, client: Abort, options: EdgeOptions): void {
  if (outgoing.destroyed) return
  const { body } = answer
  const headers = { ...answer.headers }
  // A refused upload is still coming: the connection is of no more use once the client has its answer.
  if (answer.status === 413) headers.connection = 'close'
  if (body instanceof Uint8Array) {
    headers['content-length'] = String(body.length)
    outgoing.writeHead(answer.status, headers)
    if (body.length <= shortText) outgoing.end(textOf(body), 'latin1')
    else {
      const timeout = timeoutOf(outgoing, options)
      timeout.start()
      outgoing.once('close', () => timeout.stop())
      outgoing.end(body)
    }
    return
  }
  headers['cache-control'] = 'no-cache, no-transform'
  headers['x-accel-buffering'] = 'no'
  outgoing.writeHead(answer.status, headers)
  new Delivery(outgoing, client, options).run(body)
}

/** Writes a stream to a response as it comes, no faster than the client reads. */
class Delivery implements ByteSink {
  readonly #outgoing: ServerResponse
  readonly #options: EdgeOptions
  readonly #timeout: WriteTimeout
  #flow: Flow | undefined
  /** The headers have gone out. */
  #opened = false
  #paused = false
  #stopBeat = () => {}

  constructor(outgoing: ServerResponse, client: Abort, options: EdgeOptions) {
    this.#outgoing = outgoing
    this.#options = options
    this.#timeout = timeoutOf(outgoing, options)
    client.addEventListener('abort', () => this.#stop(client.reason))
    outgoing.on('drain', this.#drained)
    outgoing.once('close', () => this.#timeout.stop())
  }

  run(body: StreamBody | PendingStream): void {
    if (!isPending(body)) {
      this.#follow(body)
      return
    }
    const { late, stop } = beatUntil(body, this.#options.clock, (bytes) => this.chunk(bytes))
    this.#stopBeat = stop
    void late.then(({ opening, stream }) => {
      this.chunk(opening)
      this.#follow(stream)
    })
  }

  chunk(bytes: Uint8Array): void {
    const outgoing = this.#outgoing
    if (outgoing.destroyed) return
    // The first one takes the headers along.
    const goesOn = this.#opened ? writeChunk(outgoing, bytes, this.#drained) : outgoing.write(bytes)
    this.#opened = true
    if (goesOn || this.#paused) return
    this.#paused = true
    this.#timeout.start()
    this.#flow?.pause()
  }

  end(): void {
    this.#outgoing.end()
    if (this.#outgoing.writableLength > 0) this.#timeout.start()
  }

  fail(): void {
    this.#outgoing.destroy()
  }

  #follow(stream: StreamBody): void {
    if (this.#outgoing.destroyed) {
      stream.source.cancel('The client left.')
      return
    }
    // What is there already is sent before there is a flow to pause.
    this.#flow = flow(stream, this, this.#options.clock)
    if (this.#paused) this.#flow.pause()
  }

  readonly #drained = () => {
    if (!this.#paused) return
    this.#paused = false
    this.#timeout.stop()
    this.#flow?.resume()
  }

  #stop(reason: unknown): void {
    this.#stopBeat()
    this.#timeout.stop()
    this.#flow?.cancel(reason)
  }
}

/** Gives up on a client that reads nothing for so long: whatever it asked for is held for it. */
function timeoutOf(outgoing: ServerResponse, { clock, writeTimeout }: EdgeOptions): WriteTimeout {
  const waiting = () => outgoing.writableLength + queuedIn(outgoing.socket)
  const timeout: WriteTimeout = new WriteTimeout(clock, writeTimeout, waiting, () => {
    // A response without a socket waits for an earlier one on the same connection.
    if (outgoing.socket) outgoing.destroy()
    else timeout.start()
  })
  return timeout
}

/** Bytes that the system has not taken yet: of one large write nothing else tells how much is left. */
function queuedIn(socket: (Socket & { readonly _handle?: { readonly writeQueueSize?: number } }) | null): number {
  return socket?._handle?.writeQueueSize ?? 0
}

/** Bytes of what goes to a socket as text: up to here Node writes one without asking for memory first. */
const shortText = 16 * 1024

/** Bytes as a text of as many characters. Node joins and writes short texts for less than short buffers. */
function textOf({ buffer, byteOffset, length }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, length).toString('latin1')
}

/**
 * `outgoing.write` for less: it makes four writes and a tick of every chunk, where one does. False when the client
 * reads slowly; `drained` is called when it has caught up.
 */
function writeChunk(outgoing: ServerResponse, bytes: Uint8Array, drained: () => void): boolean {
  const { socket, chunkedEncoding } = outgoing
  // A response has no socket before those that were asked for earlier on it are over, and none to write to once its
  // client has left.
  const isOurs = socket?.writable && socket.writableCorked === 0 && chunkedEncoding
  if (!isOurs || bytes.length === 0 || bytes.length > shortText) return outgoing.write(bytes)
  if (socket.write(`${bytes.length.toString(16)}\r\n${textOf(bytes)}\r\n`, 'latin1')) return true
  socket.once('drain', drained)
  return false
}
