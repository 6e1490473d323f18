import type { IncomingMessage, ServerResponse } from 'node:http'

/**
 * Maximum bytes of an unwanted body that are read and dropped. Many clients write the whole body before they read, and
 * closing earlier would reset the connection and lose the answer. This is as much as a normal client may be sending; an
 * endless sender is cut off.
 */
const most = 64 * 1024 * 1024
/** How long that may take, in milliseconds. */
const longest = 10_000

/** Before an answer is written: after it was sent, reads and drops the rest of the request body. Above a limit the connection is closed. */
export function dropLeftover(request: IncomingMessage, response: ServerResponse): void {
  if (request.complete) return
  // Before Node's own listener, which closes at once if the response says `connection: close`.
  response.prependOnceListener('finish', () => {
    if (!request.complete && !request.destroyed) drop(request)
  })
}

function drop(request: IncomingMessage): void {
  const { socket } = request
  const closeSoon = socket.destroySoon
  let closing = false
  let size = 0
  // The answer and its FIN are sent at once, and the socket goes on reading.
  socket.destroySoon = () => {
    closing = true
    socket.end()
  }
  const over = setTimeout(() => socket.destroy(), longest)
  request.on('data', ({ length }: Uint8Array) => {
    size += length
    if (size > most) socket.destroy()
  })
  // Node would drop it too, but without a limit.
  request.read(0)
  request.once('end', () => {
    clearTimeout(over)
    socket.destroySoon = closeSoon
    if (closing) socket.destroySoon()
  })
  socket.once('close', () => clearTimeout(over))
}
