import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** Maximum requests of one connection that run at a time, besides the one whose answer is being sent. */
const most = 8

interface Line {
  running: number
  readonly waiting: (() => void)[]
}

/**
 * Limits how many pipelined requests of a connection run at a time. Their answers are kept in memory until it is their
 * turn, so a client that writes thousands of requests and reads nothing could otherwise fill the memory.
 */
export function pipelineQueue(): (request: IncomingMessage, response: ServerResponse, serve: () => void) => void {
  const lines = new WeakMap<Socket, Line>()
  return function inTurn({ socket }, response, serve) {
    // Node gives a response the socket when the earlier ones have been sent.
    if (response.socket) return serve()
    const line = lines.get(socket) ?? { running: 0, waiting: [] }
    lines.set(socket, line)
    const start = () => {
      line.running++
      response.once('close', () => {
        line.running--
        if (socket.destroyed) line.waiting.length = 0
        line.waiting.shift()?.()
      })
      serve()
    }
    if (line.running < most) start()
    else line.waiting.push(start)
  }
}
