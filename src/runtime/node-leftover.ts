import type { IncomingMessage, ServerResponse } from 'node:http'

/**
 * Bytes of a body that nobody wants and that are read nevertheless: many clients write all of it before they read, and
 * closing on them would reset the connection and take the answer along. It is what a client may well have on its way,
 * and no more than that: who sends for ever is cut off.
 */
const most = 64 * 1024 * 1024
/** Milliseconds that they may take. */
const longest = 10_000

/** Reads and drops what is still to come of a body when its answer is out, up to a bound; then a connection ends. */
export function dropLeftover(request: IncomingMessage, response: ServerResponse): void {
  // Before Node's own listener, which would close at once where that was promised.
  response.prependOnceListener('finish', () => {
    if (!request.complete && !request.destroyed) drop(request)
  })
}

function drop(request: IncomingMessage): void {
  const { socket } = request
  const closeSoon = socket.destroySoon
  let closing = false
  let size = 0
  // The answer and its end go out at once, and the socket goes on reading.
  socket.destroySoon = () => {
    closing = true
    socket.end()
  }
  const over = setTimeout(() => socket.destroy(), longest)
  request.on('data', ({ length }: Uint8Array) => {
    size += length
    if (size > most) socket.destroy()
  })
  // Node would drop it too, but without a bound.
  request.read(0)
  request.once('end', () => {
    clearTimeout(over)
    socket.destroySoon = closeSoon
    if (closing) socket.destroySoon()
  })
  socket.once('close', () => clearTimeout(over))
}
