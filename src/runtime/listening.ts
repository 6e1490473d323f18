import type { Server as HttpServer } from 'node:http'
import { Server, type Socket } from 'node:net'
import type { Clock } from '../core/clock.ts'
import { urlOf } from '../start-text.ts'

/** Why the gateway can't start, in words for whoever starts it. */
export class StartError extends Error {
  override readonly name = 'StartError'
}

/** Resolves with the port, which is another than `port` where that is 0. Rejects with a `StartError`. */
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

/** Milliseconds between two looks at what is left. */
const step = 50
/** Milliseconds that a connection from which nothing has come yet is waited for: its request is most likely on its way. */
const courtesy = 500

/**
 * Returns what ends the server: no new connections come in, those without an answer under way are closed, and it
 * resolves when the last is gone, or after `grace` milliseconds. To be called before the first connection comes.
 */
export function drainOf(server: HttpServer, clock: Clock): (grace: number) => Promise<void> {
  const open = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
  })
  return function drain(grace) {
    const began = clock.now()
    return new Promise((resolve) => {
      function look() {
        const waited = clock.now() - began
        const fresh = waited < courtesy && [...open].some(({ bytesRead }) => bytesRead === 0)
        // Node takes a connection for idle while the end of its answer still waits to be sent, and would cut it off.
        const sending = [...open].some(({ writableLength }) => writableLength > 0)
        if (!fresh && !sending) server.closeIdleConnections()
        if (open.size === 0 || waited >= grace) resolve()
        else clock.after(step, look)
      }
      closeDoor(server, look)
    })
  }
}

/** Turns of the event loop in which connections are still let in: more of them are not a queue, but a flood. */
const mostTurns = 1_000

/** Takes no more connections, once those that wait in the system's queue are in: it would reset them. */
export function closeDoor(server: Server, closed: () => void): void {
  let turns = 0
  // The system hands them out a few a turn. Two turns without any, as the first one may be half over.
  let quiet = 0
  const note = () => {
    quiet = 0
  }
  server.on('connection', note)
  const look = () => {
    if (quiet++ < 2 && turns++ < mostTurns) return void setImmediate(look)
    server.off('connection', note)
    // Not http's own `close`, which begins by closing what it takes for idle.
    Server.prototype.close.call(server)
    closed()
  }
  look()
}
