import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** Maximum requests of one connection that run at a time, besides the one whose answer is being sent. */
const most = 8

interface Line {
  running: number
  readonly waiting: (() => void)[]
}

const lines = new WeakMap<Socket, Line>()

/** Whether requests on the connection run or wait besides the one whose answer is being sent. */
export function hasQueued(socket: Socket): boolean {
  const line = lines.get(socket)
  return line !== undefined && line.running + line.waiting.length > 0
}

/**
 * Limits how many pipelined requests of a connection run at a time. Their answers are kept in memory until it is their
 * turn, so a client that writes thousands of requests and reads nothing could otherwise fill the memory.
 */
export function inTurn({ socket }: IncomingMessage, response: ServerResponse, serve: () => void): void {
  // Node gives a response the socket when the earlier ones have been sent.
  if (response.socket) {
    serve()
    return
  }
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
