import type { ServerResponse } from 'node:http'
import type { HttpBindings } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import type { Edge } from '../app.ts'
import { type Answer, isStream } from '../core/call.ts'
import { Abort } from '../core/signal.ts'
import type { ByteStream } from '../core/stream.ts'
import { GatewayError } from '../wire/errors.ts'
import { readIncoming } from './node-body.ts'

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
