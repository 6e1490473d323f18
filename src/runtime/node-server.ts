import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { getRequestListener } from '@hono/node-server'
import { errorEnvelope, GatewayError } from '../wire/errors.ts'
import { wireHeaders } from '../wire/headers.ts'
import { type Random, requestIds } from '../wire/ids.ts'

type Fetch = Parameters<typeof getRequestListener>[0]

/** A server for the app's `fetch`. What never reaches the app, since it is no HTTP that makes sense, gets the envelope too. */
export function createNodeServer(fetch: Fetch, random: Random): Server {
  const errorHandler = () => {
    const { status, headers, body } = answerOf(refusal(400, 'The request has no usable address.'), random)
    return new Response(body, { status, headers })
  }
  const options = {
    // Headers of clients and proxies in between add up to more than Node's 16 KB.
    maxHeaderSize: 64 * 1024,
    // Longer than the idle time of usual proxies: whoever closes first must not be the one that is being asked.
    keepAliveTimeout: 65_000,
    // A client that never finishes its request holds a connection for this long.
    headersTimeout: 60_000,
    requestTimeout: 300_000,
    requireHostHeader: false,
  }
  const server = createServer(options, getRequestListener(fetch, { hostname: 'localhost', errorHandler }))
  refuseBadHttp(server, random)
  return server
}

function refuseBadHttp(server: Server, random: Random): void {
  server.on('clientError', (error: Error & { code?: string }, socket: Duplex) => {
    if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy()
    const tooLong = error.code === 'HPE_HEADER_OVERFLOW'
    const late = error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
    if (tooLong) write(socket, refusal(431, 'The request headers are too large.'), random)
    else
      write(
        socket,
        late ? refusal(408, 'The request did not come in time.') : refusal(400, 'The request is not valid HTTP.'),
        random,
      )
  })
  server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
    write(socket, refusal(405, 'Not allowed to CONNECT: this gateway is no HTTP proxy.'), random)
  })
  server.on('checkExpectation', (_request: IncomingMessage, response: ServerResponse) => {
    const { status, headers, body } = answerOf(
      refusal(417, 'The Expect header asks for what this gateway does not do.'),
      random,
    )
    response.writeHead(status, headers).end(body)
  })
}

function refusal(status: number, message: string): GatewayError {
  return new GatewayError('bad_request', message, { status })
}

function answerOf(error: GatewayError, random: Random) {
  const body = JSON.stringify(errorEnvelope(error))
  const headers: Record<string, string> = {
    ...wireHeaders(requestIds(random)(), 0),
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
  }
  return { status: error.status, headers, body }
}

function write(socket: Duplex, error: GatewayError, random: Random): void {
  const { status, headers, body } = answerOf(error, random)
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(`HTTP/1.1 ${status} ${phrases[status]}\r\n${lines.join('')}\r\n${body}`)
}

const phrases: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
}
