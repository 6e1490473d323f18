import { createConnection, type Socket } from 'node:net'

/** Milliseconds of silence after which a gateway counts as dead. */
const patience = 10_000

/** Shared by all sockets: the bytes are processed before the next read. */
const buffer = Buffer.alloc(64 * 1024)

/** Passes every read to `read`, which must copy bytes to keep them. A socket that fails or times out is closed. */
export function openSocket(port: number, read: (bytes: Buffer) => void): Socket {
  const callback = (length: number) => {
    read(buffer.subarray(0, length))
    return true
  }
  const socket = createConnection({ port, host: '127.0.0.1', noDelay: true, onread: { buffer, callback } })
  socket.setTimeout(patience, () => socket.destroy())
  return socket.on('error', () => {})
}
