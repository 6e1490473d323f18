import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { type Answer, discard, discardStream, isPending, type PendingStream, type StreamBody } from '../core/answer.ts'
import { Abort } from '../core/signal.ts'
import type { ByteSink } from '../core/stream.ts'
import { asGatewayError, GatewayError } from '../wire/errors.ts'
import type { Edge, EdgeOptions } from './edge.ts'
import { beatUntil, type Flow, flow } from './flow.ts'
import { openIncoming, readIncoming } from './node-body.ts'
import { dropLeftover } from './node-leftover.ts'
import type { NodeBindings } from './node-listener.ts'
import type { Running } from './running.ts'
import { WriteTimeout } from './write-timeout.ts'

export interface NodeEdgeOptions extends EdgeOptions {
  /** Gets the requests while they are answered. */
  readonly running?: Running
}

/** Stands for an answer that was written already. */
const sent = new Response(null)

/** The edge for Node: reads from and writes to the sockets directly, without web streams in between. */
export const nodeEdge = (options: NodeEdgeOptions): Edge<NodeBindings> => ({
  headers: ({ env }) => {
    const { headers } = env.incoming
    return (name) => {
      const value = headers[name]
      return Array.isArray(value) ? value.join(', ') : value
    }
  },
  readBody: ({ env }, limit) => readIncoming(env.incoming, limit),
  openBody: ({ env }, limit, encoding) => openIncoming(env.incoming, limit, encoding),
  send({ env }, answer, client) {
    dropLeftover(env.incoming, env.outgoing)
    sendAnswer(env.outgoing, answer, client, options)
    return sent
  },
  afterwards: (_, work) => void work(),
  watch({ env }) {
    const client = new Abort()
    const { outgoing } = env
    const { running } = options
    if (outgoing.destroyed) {
      client.abort(new GatewayError('gone', 'The client left.'))
      return client
    }
    running?.add(outgoing, client)
    outgoing.once('close', () => {
      running?.delete(outgoing)
      if (!outgoing.writableFinished) client.abort(new GatewayError('gone', 'The client left.'))
    })
    return client
  },
})

function sendAnswer(outgoing: ServerResponse, answer: Answer, client: Abort, options: EdgeOptions): void {
  if (outgoing.destroyed) return void discard(answer)
  const { body } = answer
  const headers = { ...answer.headers }
  // The client is still uploading the refused body, so the connection can't be reused after the answer.
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

/** Writes a stream to a response as it arrives, no faster than the client reads. */
class Delivery implements ByteSink {
  readonly #outgoing: ServerResponse
  readonly #options: EdgeOptions
  readonly #timeout: WriteTimeout
  #flow: Flow | undefined
  /** The headers were sent. */
  #opened = false
  #paused = false
  #stopBeat = () => {}

  constructor(outgoing: ServerResponse, client: Abort, options: EdgeOptions) {
    this.#outgoing = outgoing
    this.#options = options
    this.#timeout = timeoutOf(outgoing, options)
    client.addEventListener('abort', () => {
      // The client is still there where the gateway stops: it gets the error that the source then breaks with.
      if (asGatewayError(client.reason).kind !== 'stopping') this.#stop(client.reason)
    })
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
    // The first write also sends the headers.
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
    if (this.#outgoing.destroyed) return void discardStream(stream)
    // `flow` sends what is available already before it returns, so the pause may come before there is a flow.
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

/** Disconnects a client that reads nothing for `writeTimeout`, since its answer is kept in memory. */
function timeoutOf(outgoing: ServerResponse, { clock, writeTimeout }: EdgeOptions): WriteTimeout {
  const waiting = () => outgoing.writableLength + queuedIn(outgoing.socket)
  const timeout: WriteTimeout = new WriteTimeout(clock, writeTimeout, waiting, () => {
    // A response without a socket waits for an earlier one on the same connection.
    if (outgoing.socket) outgoing.destroy()
    else timeout.start()
  })
  return timeout
}

/** Bytes that the system has not taken yet. Nothing else tells how much of one large write is left. */
function queuedIn(socket: (Socket & { readonly _handle?: { readonly writeQueueSize?: number } }) | null): number {
  return socket?._handle?.writeQueueSize ?? 0
}

/** Largest write in bytes that is sent as text: up to this size Node needs no extra allocation for it. */
const shortText = 16 * 1024

/** Bytes as a latin1 string. Node joins and writes short strings faster than short buffers. */
function textOf({ buffer, byteOffset, length }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, length).toString('latin1')
}

/**
 * A cheaper `outgoing.write`, which needs four writes and a tick per chunk where one write is enough. Returns false
 * when the client reads slowly; `drained` is called when it has caught up.
 */
function writeChunk(outgoing: ServerResponse, bytes: Uint8Array, drained: () => void): boolean {
  const { socket, chunkedEncoding } = outgoing
  // A pipelined response has no socket until the earlier ones on its connection have ended. After the client has left,
  // the socket is not writable.
  const isOurs = socket?.writable && socket.writableCorked === 0 && chunkedEncoding
  if (!isOurs || bytes.length === 0 || bytes.length > shortText) return outgoing.write(bytes)
  if (socket.write(`${bytes.length.toString(16)}\r\n${textOf(bytes)}\r\n`, 'latin1')) return true
  socket.once('drain', drained)
  return false
}
