import { Server } from 'node:net'
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
