import type { IncomingMessage } from 'node:http'
import type { WebSocket } from 'ws'
import type { Clock } from '../core/clock.ts'
import type { Signal } from '../core/signal.ts'
import { type Dial, type Dialled, type DialRequest, largestMessage, unanswered } from '../core/socket.ts'
import { sourceFrom } from '../core/sources.ts'
import { GatewayError } from '../wire/errors.ts'
import { unreachable } from './node-failures.ts'
import { NodeSocket } from './node-socket.ts'

/** Opens WebSockets with `ws`, which is loaded when the first one is wanted. */
export function createNodeDial(clock: Clock): Dial {
  return async function dial(request, signal) {
    const { WebSocket } = await import('ws')
    signal.throwIfAborted()
    let stopTimer = () => {}
    const ws = new WebSocket(request.url.replace(/^http/, 'ws'), {
      headers: request.headers,
      maxPayload: largestMessage,
      // Messages are passed on, and compressing them twice more would only cost time.
      perMessageDeflate: false,
      finishRequest(outgoing) {
        let tooLate: Error = Object.assign(new Error('timeout'), { code: 'UND_ERR_CONNECT_TIMEOUT' })
        stopTimer = clock.after(request.connectTimeout, () => outgoing.destroy(tooLate))
        const connected = () => {
          tooLate = unanswered(request)
        }
        const isSecure = request.url.startsWith('https:')
        outgoing.once('socket', (socket) => socket.once(isSecure ? 'secureConnect' : 'connect', connected))
        outgoing.end()
      },
    })
    return await opened(ws, request, signal, clock).finally(() => stopTimer())
  }
}

function opened(ws: WebSocket, request: DialRequest, signal: Signal, clock: Clock): Promise<Dialled> {
  return new Promise((resolve, reject) => {
    let response: IncomingMessage | undefined
    const leave = () => {
      reject(signal.reason)
      ws.terminate()
    }
    signal.addEventListener('abort', leave)
    ws.once('upgrade', (given) => {
      response = given
    })
    ws.once('unexpected-response', (_, given) => {
      const body = sourceFrom(given[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>)
      resolve({ status: given.statusCode ?? 502, headers: headersOf(given), body })
    })
    ws.once('open', () => {
      signal.removeEventListener('abort', leave)
      resolve({ socket: new NodeSocket(ws, clock), headers: response ? headersOf(response) : {} })
    })
    ws.on('error', (error) => {
      signal.removeEventListener('abort', leave)
      reject(response ? oddHandshake(request, error) : unreachable(error, request))
    })
  })
}

function oddHandshake({ name }: DialRequest, cause: Error): GatewayError {
  return new GatewayError('protocol', `${name} did not open the WebSocket as it should.`, { cause })
}

function headersOf({ headers }: IncomingMessage): Record<string, string> {
  const entries = Object.entries(headers).map(([name, value]) => [
    name,
    Array.isArray(value) ? value.join(', ') : value,
  ])
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined))
}
