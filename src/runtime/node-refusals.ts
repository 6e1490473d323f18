import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { systemClock } from '../core/clock.ts'
import { errorEnvelope, GatewayError } from '../wire/errors.ts'
import { headerValue, wireHeaders } from '../wire/headers.ts'
import { type Random, requestIds } from '../wire/ids.ts'
import { report } from './node-body.ts'
import { dropLeftover } from './node-leftover.ts'

/** A connection and the response that is being written to it. Pipelined responses follow when that one ends. */
type Connection = Duplex & { readonly _httpMessage?: ServerResponse | null }

/** Milliseconds that a client has to close its end after the error response. */
const patience = 10_000

/** Answers invalid HTTP with the error envelope, after the earlier answers on the connection were sent. */
export function refuseBadHttp(server: Server, random: Random): void {
  const refused = new WeakSet<Duplex>()
  const refuse = (socket: Duplex, error: GatewayError) => {
    // Whatever follows the invalid part is invalid too.
    if (refused.has(socket)) return
    refused.add(socket)
    inTurn(socket, error, random)
  }
  server.on('clientError', (error: Error & { code?: string }, socket: Duplex) => {
    if (!socket.writable || error.code === 'ECONNRESET') socket.destroy()
    else refuse(socket, refusalOf(error))
  })
  server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
    socket.resume()
    refuse(socket, refusal(405, 'Not allowed to CONNECT: this gateway is no HTTP proxy.'))
  })
  server.on('checkExpectation', (_request: IncomingMessage, response: ServerResponse) => {
    send(response, refusal(417, 'The Expect header asks for what this gateway does not do.'), random)
  })
}

/** True unless `chunked` is the only transfer coding. Node would use the encoded bytes of others as the body. */
export function hasOddCoding({ headers }: IncomingMessage): boolean {
  const coding = headers['transfer-encoding']
  return coding !== undefined && coding.toLowerCase() !== 'chunked'
}

export function refusal(status: number, message: string): GatewayError {
  return new GatewayError('bad_request', message, { status })
}

function refusalOf({ code }: { code?: string }): GatewayError {
  if (code === 'HPE_HEADER_OVERFLOW') return refusal(431, 'The request headers are too large.')
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return refusal(408, 'The request did not come in time.')
  if (code === 'HPE_INVALID_EOF_STATE') return refusal(400, 'The request ended before it was whole.')
  return refusal(400, 'The request is not valid HTTP.')
}

function inTurn(socket: Connection, error: GatewayError, random: Random): void {
  const running = socket._httpMessage
  if (!running) write(socket, answerOf(error, random))
  // Its request was complete: only what came after it is invalid.
  else if (running.req.complete) running.once('close', () => inTurn(socket, error, random))
  else breakOff(running, error)
}

/** The request body is invalid: report it to the code that reads the body, which sends the answer. */
function breakOff(running: ServerResponse, error: GatewayError): void {
  running.shouldKeepAlive = false
  const { req, socket } = running
  running.once('close', () => socket?.destroySoon())
  if (!running.headersSent) report(req, error)
}

export function answerOf(error: GatewayError, random: Random) {
  const body = JSON.stringify(errorEnvelope(error))
  const headers: Record<string, string> = {
    ...wireHeaders(requestIds(random, systemClock.now)(), 0),
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
    ...error.headers,
  }
  return { status: error.status, headers, body }
}

/** Answers a request without passing it to the app. */
export function send(response: ServerResponse, error: GatewayError, random: Random): void {
  const { status, headers, body } = answerOf(error, random)
  dropLeftover(response.req, response)
  response.writeHead(status, headers).end(body)
}

/** Writes an error response, and ends the connection, where Node has no `ServerResponse` for that. */
export function write(socket: Duplex, { status, headers, body }: ReturnType<typeof answerOf>): void {
  if (!socket.writable) return void socket.destroy()
  const all = { ...headers, 'content-length': String(Buffer.byteLength(body)) }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${headerValue(value)}\r\n`)
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n${body}`)
  const giveUp = setTimeout(() => socket.destroy(), patience)
  socket.once('close', () => clearTimeout(giveUp))
}
