import { GatewayError } from '../wire/errors.ts'
import type { Signal } from './signal.ts'
import type { UpstreamRequest, UpstreamResponse } from './transport.ts'

/** A message of a WebSocket, as it was received. The fragments that it may have come in are joined. */
export interface Message {
  /** Texts may come as bytes, which are valid UTF-8 then. */
  readonly data: string | Uint8Array
  readonly isText: boolean
}

/** How a WebSocket ended. */
export interface Closing {
  /** As in RFC 6455: 1005 if the peer gave none, 1006 if there was no closing handshake. */
  readonly code: number
  readonly reason: string
  /** The connection broke, or the peer did not keep to the protocol. */
  readonly broke: boolean
}

export interface SocketListener {
  message(message: Message): void
  /** What was sent is on its way: after a `send` that returned false. */
  drained(): void
  /** Called once, as the last. */
  closed(closing: Closing): void
}

/** Bytes that may wait to be sent before `send` asks for a pause. */
export const mostBuffered = 1024 * 1024

/** Bytes of the largest message that is passed on, which is what Workers allow too. */
export const largestMessage = 32 * 1024 * 1024

/** One end of an open WebSocket. What comes before there is a listener is kept for it. */
export abstract class Socket {
  #listener: SocketListener | undefined
  #waiting: Message[] = []
  #closing: Closing | undefined
  #first: ((first: Message | Closing) => void) | undefined
  readonly #over: ((closing: Closing) => void)[] = []

  /** Returns false if more than `mostBuffered` bytes wait to be sent. Does nothing once the socket closes. */
  abstract send(message: Message): boolean
  /** Receives nothing more until `resume`, where the runtime can do that. */
  abstract pause(): void
  abstract resume(): void
  /** Begins the closing handshake. Without a code the peer is told none. What it still sends is dropped. */
  abstract close(code?: number, reason?: string): void
  /** Ends the connection without a handshake. */
  abstract terminate(): void

  listen(listener: SocketListener): void {
    this.#listener = listener
    this.resume()
    for (const message of this.#waiting.splice(0)) listener.message(message)
    if (this.#closing) listener.closed(this.#closing)
  }

  /** Calls `look` with the first message, which stays for the listener, or with how the socket closed before one. */
  peek(look: (first: Message | Closing) => void): void {
    const first = this.#waiting[0] ?? this.#closing
    if (first) look(first)
    else this.#first = look
  }

  /** Calls `action` when the socket has closed. */
  whenOver(action: (closing: Closing) => void): void {
    if (this.#closing) action(this.#closing)
    else this.#over.push(action)
  }

  protected received(message: Message): void {
    if (this.#listener) this.#listener.message(message)
    else {
      this.#waiting.push(message)
      this.pause()
      this.#show(message)
    }
  }

  protected drained(): void {
    this.#listener?.drained()
  }

  protected ended(closing: Closing): void {
    if (this.#closing) return
    this.#closing = closing
    this.#show(closing)
    this.#listener?.closed(closing)
    for (const action of this.#over.splice(0)) action(closing)
  }

  #show(first: Message | Closing): void {
    const look = this.#first
    this.#first = undefined
    look?.(first)
  }
}

/** A WebSocket to open. `url` begins with `http`. */
export type DialRequest = Pick<UpstreamRequest, 'name' | 'url' | 'headers' | 'connectTimeout'>

/** An open WebSocket with the headers of its response, or the response that refused it. */
export type Dialled =
  | { readonly socket: Socket; readonly headers: Readonly<Record<string, string>> }
  | (UpstreamResponse & { readonly socket?: undefined })

/**
 * Opens a WebSocket to an upstream. Rejects as a `Transport` does; the signal counts until the socket is open. Its
 * handshake belongs to making the connection: no model has anything to do yet, and no client waits for minutes.
 */
export type Dial = (request: DialRequest, signal: Signal) => Promise<Dialled>

export function unanswered({ name, connectTimeout }: DialRequest): GatewayError {
  return new GatewayError(
    'timeout',
    `${name} did not answer the WebSocket's handshake within ${connectTimeout / 1000} seconds.`,
  )
}
