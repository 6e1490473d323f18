import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import type { Clock } from '../core/clock.ts'
import { largestMessage } from '../core/socket.ts'
import type { Accepted } from '../core/upgrade.ts'
import { headerValue } from '../wire/headers.ts'
import { NodeSocket } from './node-socket.ts'

/** A request for an upgrade, and its connection. */
export interface Handshake {
  readonly request: IncomingMessage
  readonly socket: Duplex & { readonly _httpMessage?: ServerResponse | null }
  /** What the client has sent after the request. */
  readonly head: Buffer
}

const accepted = new WeakMap<IncomingMessage, Accepted>()

const handshakes = new WebSocketServer({
  noServer: true,
  clientTracking: false,
  maxPayload: largestMessage,
  // Messages are passed on, and compressing them twice more would only cost time.
  perMessageDeflate: false,
  handleProtocols: (_, request) => accepted.get(request)?.protocol ?? false,
})
handshakes.on('headers', (lines, request) => {
  for (const [name, value] of Object.entries(accepted.get(request)?.headers ?? {}))
    lines.push(`${name}: ${headerValue(value)}`)
})

/** Answers with the end of the handshake. `done` gets the open socket; it is not called if the client has left. */
export function shake(
  { request, socket, head }: Handshake,
  outcome: Accepted,
  clock: Clock,
  done: (peer: NodeSocket) => void,
): void {
  accepted.set(request, outcome)
  handshakes.handleUpgrade(request, socket, head, (ws) => done(new NodeSocket(ws, clock)))
}
