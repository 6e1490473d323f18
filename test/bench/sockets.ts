import { createConnection, type Socket } from 'node:net'

/** Milliseconds of silence after which a gateway is taken for dead. */
const patience = 10_000

/** All sockets read into the same bytes: what is read is looked at before the next read. */
const buffer = Buffer.alloc(64 * 1024)

/** Calls `read` with what comes, which must be copied if it is to be kept. A socket that fails or is silent is closed. */
export function openSocket(port: number, read: (bytes: Buffer) => void): Socket {
  const callback = (length: number) => {
    read(buffer.subarray(0, length))
    return true
  }
  const socket = createConnection({ port, host: '127.0.0.1', noDelay: true, onread: { buffer, callback } })
  socket.setTimeout(patience, () => socket.destroy())
  return socket.on('error', () => {})
}
