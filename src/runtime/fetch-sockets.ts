import type { Clock } from '../core/clock.ts'
import { type Dial, type Message, Socket, unanswered } from '../core/socket.ts'
import type { Accepted } from '../core/upgrade.ts'
import { FetchSource } from './fetch-source.ts'
import { unreachable } from './fetch-transport.ts'

/** A WebSocket as Workers have it. */
interface WorkerSocket {
  binaryType: string
  accept(): void
  send(data: string | Uint8Array): void
  close(code?: number, reason?: string): void
  addEventListener(type: 'message', listener: (event: { readonly data: string | ArrayBuffer }) => void): void
  addEventListener(type: 'close', listener: (event: { readonly code: number; readonly reason: string }) => void): void
  addEventListener(type: 'error', listener: () => void): void
}

declare const WebSocketPair: (new () => { readonly 0: WorkerSocket; readonly 1: WorkerSocket }) | undefined

/**
 * A WebSocket on Workers. The runtime tells nothing of what it has not sent yet and can't be paused, answers pings, and
 * answers the closing handshake of a peer by itself.
 */
class FetchSocket extends Socket {
  readonly #ws: WorkerSocket
  /** It was closed from here. */
  #closing = false
  /** It takes nothing more. */
  #dead = false

  constructor(ws: WorkerSocket) {
    super()
    this.#ws = ws
    ws.addEventListener('message', ({ data }) => {
      if (this.#closing) return
      const isText = typeof data === 'string'
      this.received({ data: isText ? data : new Uint8Array(data), isText })
    })
    ws.addEventListener('close', ({ code, reason }) => this.#ended(code, reason))
    ws.addEventListener('error', () => this.#ended(1006))
    // Otherwise binary messages would come as blobs, which are read later than the next message comes.
    ws.binaryType = 'arraybuffer'
    ws.accept()
  }

  send({ data }: Message): boolean {
    if (!this.#closing) this.#attempt(() => this.#ws.send(data))
    return true
  }

  pause(): void {}

  resume(): void {}

  close(code?: number, reason?: string): void {
    if (this.#closing) return
    this.#closing = true
    this.#attempt(() => (code === undefined ? this.#ws.close() : this.#ws.close(code, reason)))
  }

  terminate(): void {
    // There is no other way than `close`.
    this.#ended(1006)
  }

  #ended(code: number, reason = ''): void {
    this.#dead = true
    // Some peers answer the closing handshake by ending the connection.
    this.ended({ code, reason, broke: code === 1006 && !this.#closing })
  }

  /** The runtime throws where a connection has broken and the event for that is still to come. */
  #attempt(action: () => void): void {
    if (this.#dead) return
    try {
      action()
    } catch {
      this.#dead = true
    }
  }
}

/** Opens WebSockets through `fetch`, as Workers do. */
export function createFetchDial(send: typeof fetch, clock: Clock): Dial {
  return async function dial(request, signal) {
    signal.throwIfAborted()
    const { url, name, headers, connectTimeout } = request
    const abort = new AbortController()
    const leave = () => abort.abort(signal.reason)
    signal.addEventListener('abort', leave)
    const stopTimer = clock.after(connectTimeout, () => abort.abort(unanswered(request)))
    const init = { headers: { ...headers, upgrade: 'websocket' }, redirect: 'manual', signal: abort.signal } as const
    const response: Response & { readonly webSocket?: WorkerSocket | null } = await send(url, init)
      .catch((error) => {
        throw abort.signal.aborted ? abort.signal.reason : unreachable(error, name)
      })
      .finally(stopTimer)
    const told = Object.fromEntries(response.headers)
    if (!response.webSocket) {
      return { status: response.status, headers: told, body: new FetchSource(response, signal) }
    }
    signal.removeEventListener('abort', leave)
    return { socket: new FetchSocket(response.webSocket), headers: told }
  }
}

/** Whether the runtime can open a WebSocket to its client. */
export const hasSockets = typeof WebSocketPair === 'function'

/** Opens the client's WebSocket. */
export function acceptSocket({ headers, protocol, join }: Accepted): Response {
  if (typeof WebSocketPair !== 'function') throw new Error('this runtime has no WebSockets')
  const { 0: theirs, 1: ours } = new WebSocketPair()
  join(new FetchSocket(ours))
  const told = { ...headers, ...(protocol !== undefined && { 'sec-websocket-protocol': protocol }) }
  // Not every runtime's types know `webSocket`.
  return new Response(null, { status: 101, headers: told, webSocket: theirs } as ResponseInit)
}
