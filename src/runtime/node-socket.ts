import type { WebSocket } from 'ws'
import type { Clock } from '../core/clock.ts'
import { type Message, mostBuffered, Socket } from '../core/socket.ts'

/** Milliseconds between two looks at whether the peer is still there. */
const heartbeat = 30_000

/** A WebSocket of `ws`. A peer that shows no sign of life from one heartbeat to the next is given up. */
export class NodeSocket extends Socket {
  readonly #ws: WebSocket
  readonly #clock: Clock
  #full = false
  #paused = false
  #closing = false
  #alive = true
  /** The code for a message that the peer should not have sent. */
  #fault: number | undefined

  constructor(ws: WebSocket, clock: Clock) {
    super()
    this.#ws = ws
    this.#clock = clock
    const alive = () => {
      this.#alive = true
    }
    ws.on('message', (data, isBinary) => {
      alive()
      if (!this.#closing) this.received({ data: data as Buffer, isText: !isBinary })
    })
    ws.on('ping', alive)
    ws.on('pong', alive)
    ws.on('error', (error: Error & { code?: string }) => {
      this.#fault = error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' ? 1009 : 1006
    })
    const stop = this.#watch()
    ws.once('close', (code, reason) => {
      stop()
      // Some peers answer the closing handshake by ending the connection.
      const broke = !this.#closing && (this.#fault !== undefined || code === 1006)
      this.ended({ code: this.#fault ?? code, reason: reason.toString('utf8'), broke })
    })
  }

  send({ data, isText }: Message): boolean {
    const ws = this.#ws
    if (ws.readyState !== ws.OPEN) return true
    ws.send(data, { binary: !isText }, this.#sent)
    this.#full = ws.bufferedAmount > mostBuffered
    return !this.#full
  }

  pause(): void {
    this.#paused = true
    this.#ws.pause()
  }

  resume(): void {
    this.#paused = false
    this.#ws.resume()
  }

  close(code?: number, reason?: string): void {
    this.#closing = true
    // The answer to the closing would not be read.
    this.resume()
    this.#ws.close(code, reason)
  }

  terminate(): void {
    this.#ws.terminate()
  }

  readonly #sent = () => {
    if (!this.#full || this.#ws.bufferedAmount > mostBuffered / 2) return
    this.#full = false
    this.drained()
  }

  /** Pings the peer again and again until it shows no sign of life. Returns a function that stops that. */
  #watch(): () => void {
    let waiting = 0
    let cancel = () => {}
    const look = () => {
      const ws = this.#ws
      // Whatever a paused peer sends is not read, and one that takes what it was sent is alive.
      if (!this.#alive && !this.#paused && ws.bufferedAmount >= waiting) return ws.terminate()
      this.#alive = false
      if (ws.readyState === ws.OPEN) ws.ping()
      waiting = ws.bufferedAmount
      cancel = this.#clock.after(heartbeat, look)
    }
    cancel = this.#clock.after(heartbeat, look)
    return () => cancel()
  }
}
