import type { IncomingMessage, ServerResponse } from 'node:http'
import type { HttpBindings } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import type { Edge } from '../app.ts'
import { type Answer, isStream } from '../core/call.ts'
import { Abort } from '../core/signal.ts'
import { type ByteStream, concat } from '../core/stream.ts'
import { GatewayError } from '../wire/errors.ts'
import { tooLarge } from './body-limit.ts'

/** Node's way in and out: straight from and to the sockets, without a web stream in between. */
export const nodeEdge: Edge<HttpBindings> = {
  headers: ({ env }) => {
    const { headers } = env.incoming
    return (name) => {
      const value = headers[name]
      return Array.isArray(value) ? value.join(', ') : value
    }
  },
  readBody: ({ env }, limit) => readIncoming(env.incoming, limit),
  send({ env }, answer, client) {
    sendAnswer(env.outgoing, answer, client)
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
}

function readIncoming(incoming: IncomingMessage, limit: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const told = Number(incoming.headers['content-length'])
    const body = new BodyCollector(told <= limit ? told : undefined)
    const refuse = () => {
      incoming.off('data', take)
      // What is still on its way is read and dropped: closing at once would cut the refusal off with a reset.
      incoming.resume()
      reject(tooLarge(limit))
    }
    const take = (chunk: Uint8Array) => {
      body.add(chunk)
      if (body.size > limit) refuse()
    }
    if (told > limit) return refuse()
    incoming.on('data', take)
    incoming.once('end', () => resolve(body.whole()))
    const leave = () => reject(new GatewayError('gone', 'The client left.'))
    // The one error of a request's body is that its connection broke.
    incoming.once('error', leave)
    incoming.once('close', () => {
      if (!incoming.complete) leave()
    })
  })
}

/** Puts a body together. One whose length was told goes straight to its place: a large one is never there twice. */
class BodyCollector {
  size = 0
  readonly #chunks: Uint8Array[] = []
  readonly #told: number | undefined
  #place: Uint8Array | undefined

  constructor(told: number | undefined) {
    this.#told = told
  }

  add(chunk: Uint8Array): void {
    const at = this.size
    this.size += chunk.length
    // Most bodies are one chunk.
    if (this.#told === undefined || chunk.length === this.#told) this.#chunks.push(chunk)
    else {
      this.#place ??= new Uint8Array(this.#told)
      this.#place.set(chunk, at)
    }
  }

  whole(): Uint8Array {
    return this.#place ?? concat(this.#chunks, this.size)
  }
}

function sendAnswer(outgoing: ServerResponse, answer: Answer, client: Abort): void {
  if (outgoing.destroyed) return
  const headers = { ...answer.headers }
  // A refused upload is still coming: the connection is of no more use once the client has its answer.
  if (answer.status === 413) headers.connection = 'close'
  if (!isStream(answer.body)) {
    headers['content-length'] = String(answer.body.length)
    outgoing.writeHead(answer.status, headers)
    if (answer.body.length <= shortText) outgoing.end(textOf(answer.body), 'latin1')
    else outgoing.end(answer.body)
    return
  }
  headers['cache-control'] = 'no-cache, no-transform'
  headers['x-accel-buffering'] = 'no'
  outgoing.writeHead(answer.status, headers)
  writeStream(outgoing, answer.body, client)
}

function writeStream(outgoing: ServerResponse, body: ByteStream, client: Abort): void {
  const resume = () => body.resume()
  let opened = false
  client.addEventListener('abort', () => body.cancel(client.reason))
  outgoing.on('drain', resume)
  body.pipe({
    chunk(bytes) {
      if (outgoing.destroyed) return
      // The first one takes the headers along.
      const goesOn = opened ? writeChunk(outgoing, bytes, resume) : outgoing.write(bytes)
      opened = true
      if (!goesOn) body.pause()
    },
    end: () => outgoing.end(),
    fail: () => outgoing.destroy(),
  })
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
  // A response has no socket before those that were asked for earlier on it are over, and none to write to once what
  // its client sent next was refused.
  const isOurs = socket?.writable && socket.writableCorked === 0 && chunkedEncoding
  if (!isOurs || bytes.length === 0 || bytes.length > shortText) return outgoing.write(bytes)
  if (socket.write(`${bytes.length.toString(16)}\r\n${textOf(bytes)}\r\n`, 'latin1')) return true
  socket.once('drain', drained)
  return false
}
