import type { ServerResponse } from 'node:http'
import type { Phase } from '../core/readiness.ts'
import type { Abort } from '../core/signal.ts'
import { brokenOff, shuttingDown } from '../core/stopping.ts'

const clientOf = Symbol('client')

interface Answering extends ServerResponse {
  [clientOf]?: Abort
}

/**
 * Whose requests are being answered, so that those which take too long when the gateway stops can be told so. Kept with
 * each response, which its connection has: a map of all made plain requests a quarter dearer.
 */
export class Running {
  /** Those whose connection is busy with an earlier response. */
  readonly #waiting = new Map<ServerResponse, Abort>()
  readonly #sessions = new Set<() => void>()
  phase: Phase = 'serving'
  /** Whether what still ran was broken off. */
  stopped = false

  add(outgoing: Answering, client: Abort): void {
    if (outgoing.socket) outgoing[clientOf] = client
    else this.#waiting.set(outgoing, client)
  }

  delete(outgoing: ServerResponse): void {
    if (this.#waiting.size > 0) this.#waiting.delete(outgoing)
  }

  /** Keeps the `end` of what has no response any more, such as a WebSocket. Returns a function to call when it is over. */
  hold(end: () => void): () => void {
    this.#sessions.add(end)
    return () => this.#sessions.delete(end)
  }

  /** Ends them all, those that connections are busy with included: a stream with an error event, else with a 503. */
  breakOff(busy: readonly Answering[] = []): void {
    this.stopped = true
    for (const end of [...this.#sessions]) end()
    const all = new Map(this.#waiting)
    for (const outgoing of busy) {
      const client = outgoing[clientOf]
      if (client) all.set(outgoing, client)
    }
    for (const [outgoing, client] of all) {
      const error = outgoing.headersSent ? brokenOff() : shuttingDown()
      client.abort(error)
      // Its body is still on the way, and nothing else ends the wait for that.
      const { req } = outgoing
      if (!req.complete && !outgoing.headersSent && req.listenerCount('error') > 0) req.emit('error', error)
    }
  }
}
