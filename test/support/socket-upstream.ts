import type { IncomingMessage, Server } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { beforeEach } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'
import { duringTests } from './during-tests.ts'

/** What an upstream does with a request for a WebSocket, and then with that. */
export interface SocketScript {
  /** Answers or breaks the handshake itself. Absent: it succeeds. */
  readonly refuse?: (request: IncomingMessage, socket: Socket) => void
  readonly opened?: (socket: WebSocket, request: IncomingMessage) => void
}

/** A real server of WebSockets that runs one script per connection, in order, and repeats the last one. */
export interface SocketUpstream {
  readonly url: string
  readonly seen: IncomingMessage[]
  /** Those that were opened. */
  readonly sockets: WebSocket[]
  script(...scripts: SocketScript[]): void
  close(): Promise<void>
}

export async function socketUpstream(): Promise<SocketUpstream> {
  let queue: SocketScript[] = []
  const seen: IncomingMessage[] = []
  const sockets: WebSocket[] = []
  const server: Server = createServer((_, response) => response.writeHead(404).end())
  const handshakes = new WebSocketServer({ noServer: true, maxPayload: 64 * 1024 * 1024 })
  const connections = new Set<Socket>()
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head) => {
    seen.push(request)
    connections.add(socket)
    socket.on('error', () => {})
    const script = (queue.length > 1 ? queue.shift() : queue[0]) ?? {}
    if (script.refuse) return script.refuse(request, socket)
    handshakes.handleUpgrade(request, socket, head, (opened) => {
      sockets.push(opened)
      opened.on('error', () => {})
      if (script.opened) script.opened(opened, request)
      else greet(opened)
    })
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    sockets,
    script(...next) {
      queue = next
    },
    close: () =>
      new Promise((closed) => {
        for (const socket of connections) socket.destroy()
        server.close(() => closed())
        server.closeAllConnections()
      }),
  }
}

/**
 * Starts one before the tests of this file, and closes it after; what it returns is empty until then. Before each test
 * it has seen nothing, and sends everything back.
 */
export function serveSocketUpstream(): SocketUpstream {
  const upstream = duringTests(socketUpstream)
  beforeEach(() => {
    upstream.script(echo)
    upstream.seen.length = 0
    upstream.sockets.length = 0
  })
  return upstream
}

export const greeting = JSON.stringify({ type: 'session.created', event_id: 'event_1', session: { id: 'sess_1' } })

/** Sends what an upstream says first. */
export function greet(socket: WebSocket): void {
  socket.send(greeting)
}

/** Greets, then sends everything back. */
export const echo: SocketScript = {
  opened(socket) {
    greet(socket)
    socket.on('message', (data, isBinary) => socket.send(data as Buffer, { binary: isBinary }))
  },
}

/** Answers a request for a WebSocket with an error in JSON. */
export const refuseWith = (status: number, body: unknown): SocketScript => ({
  refuse(_, socket) {
    const text = JSON.stringify(body)
    const head = `HTTP/1.1 ${status} No\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}`
    socket.end(`${head}\r\nconnection: close\r\n\r\n${text}`)
  },
})
