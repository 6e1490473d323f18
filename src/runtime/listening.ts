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
    const deadline = clock.now() + grace
    // Not http's own `close`, which begins by closing what it takes for idle.
    Server.prototype.close.call(server)
    return new Promise((resolve) => {
      function look() {
        // Node takes a connection for idle while the end of its answer still waits to be sent, and would cut it off.
        const sending = [...open].some(({ writableLength }) => writableLength > 0)
        if (!sending) server.closeIdleConnections()
        if (open.size === 0 || clock.now() >= deadline) resolve()
        else clock.after(step, look)
      }
      look()
    })
  }
}
