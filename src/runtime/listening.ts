import type { Server as HttpServer, IncomingMessage } from 'node:http'
import { Server, type Socket } from 'node:net'
import type { Clock } from '../core/clock.ts'
import { urlOf } from '../start-text.ts'

/** Why the gateway can't start, in words for the user who starts it. */
export class StartError extends Error {
  override readonly name = 'StartError'
}

/** Resolves with the actual port, which differs from `port` if that is 0. Rejects with a `StartError`. */
export function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.on('error', ({ message }) => {
      reject(new StartError(`${urlOf(host, port)} can't be listened on: ${message}`))
    })
    server.listen(port, host, () => {
      const address = server.address()
      resolve(typeof address === 'object' && address ? address.port : port)
    })
  })
}

/** Milliseconds between two checks of the open connections. */
const step = 50
/** Milliseconds to wait for a connection that has sent nothing yet: its request is probably on its way. */
const courtesy = 500

/** Connections of servers that shut down whose next request is refused, since they had one before. */
const refused = new WeakSet<Socket>()

/** Whether a request comes too late: its connection has carried an earlier one, and its server shuts down. */
export function comesTooLate({ socket }: IncomingMessage): boolean {
  return refused.has(socket)
}

/**
 * Returns a function that shuts the server down: it accepts no new connections, closes those without a running answer,
 * and resolves when the last has closed, or after `grace` milliseconds. Call it before the first connection arrives.
 */
export function drainOf(server: HttpServer, clock: Clock): (grace: number) => Promise<void> {
  const open = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
  })
  return function drain(grace) {
    const began = clock.now()
    for (const socket of open) if (socket.bytesRead > 0) refused.add(socket)
    return new Promise((resolve) => {
      function look() {
        const waited = clock.now() - began
        const fresh = waited < courtesy && [...open].some(({ bytesRead }) => bytesRead === 0)
        // Node treats a connection as idle while the end of its answer is still queued, and would cut it off.
        const sending = [...open].some(({ writableLength }) => writableLength > 0)
        if (!fresh && !sending) server.closeIdleConnections()
        if (open.size === 0 || waited >= grace) resolve()
        else clock.after(step, look)
      }
      closeDoor(server, look)
    })
  }
}

/** Maximum turns of the event loop in which connections are still accepted: more is a flood, not a queue. */
const mostTurns = 1_000

/** Stops listening after accepting the connections in the system's queue, which closing would reset. */
export function closeDoor(server: Server, closed: () => void): void {
  let turns = 0
  // The system delivers a few per turn. Wait for two turns without any, as the first may be half over.
  let quiet = 0
  const note = () => {
    quiet = 0
  }
  server.on('connection', note)
  const look = () => {
    if (quiet++ < 2 && turns++ < mostTurns) return void setImmediate(look)
    server.off('connection', note)
    // Not the `close` of `http.Server`, which first closes the connections that it considers idle.
    Server.prototype.close.call(server)
    closed()
  }
  look()
}
