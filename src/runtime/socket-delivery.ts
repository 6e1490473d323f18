import { type Answer, discardStream, isPending } from '../core/answer.ts'
import type { Clock } from '../core/clock.ts'
import type { Signal } from '../core/signal.ts'
import type { ByteSink } from '../core/stream.ts'
import { EventReader, type ServerEvent } from '../wire/sse.ts'
import { type Flow, flow } from './flow.ts'

export interface SocketDeliveryOptions {
  readonly clock: Clock
  /** Aborted when the client leaves, or wants no more of it. */
  readonly client: Signal
  /** Sends what an event holds. Returns false if the client is behind. */
  readonly send: (data: string) => boolean
}

/** Sends the events of a stream as messages of a WebSocket, as they arrive and no faster than they are taken. */
export class SocketDelivery implements ByteSink {
  readonly #options: SocketDeliveryOptions
  readonly #reader = new EventReader()
  #flow: Flow | undefined
  #isBehind = false
  #settle: { readonly done: () => void; readonly fail: (error: unknown) => void } | undefined

  constructor(options: SocketDeliveryOptions) {
    this.#options = options
  }

  /** Resolves when all was sent or the client has left. */
  async run({ body }: Answer): Promise<void> {
    const { client, clock } = this.#options
    if (body instanceof Uint8Array) throw new Error('a request for a stream was answered without one')
    const { opening, stream } = isPending(body) ? await body.pending : { opening: undefined, stream: body }
    if (client.aborted) return discardStream(stream)
    await new Promise<void>((done, fail) => {
      this.#settle = { done, fail }
      client.addEventListener('abort', this.#leave)
      if (opening) this.chunk(opening)
      this.#flow = flow(stream, this, clock)
      if (this.#isBehind) this.#flow.pause()
    }).finally(() => client.removeEventListener('abort', this.#leave))
  }

  /** The client has caught up. */
  resume(): void {
    this.#isBehind = false
    this.#flow?.resume()
  }

  chunk(bytes: Uint8Array): void {
    this.#pass(this.#reader.read(bytes))
  }

  end(): void {
    this.#pass(this.#reader.end())
    this.#settle?.done()
  }

  fail(error: unknown): void {
    if (this.#options.client.aborted) this.#settle?.done()
    else this.#settle?.fail(error)
  }

  #pass(events: readonly ServerEvent[]): void {
    const { client, send } = this.#options
    for (const { data } of events) {
      // What an upstream that is stopped leads to is nothing that anybody waits for.
      if (client.aborted) return
      if (data === '' || data === '[DONE]' || send(data)) continue
      this.#isBehind = true
      this.#flow?.pause()
    }
  }

  readonly #leave = () => {
    this.#flow?.cancel(this.#options.client.reason)
    this.#settle?.done()
  }
}
