import type { Clock } from './clock.ts'
import type { Closing, Socket } from './socket.ts'

/** Milliseconds that a peer has to answer the closing handshake. */
const patience = 5_000

export interface JoinOptions {
  readonly clock: Clock
  /** The text of the last message to a client whose upstream broke. */
  readonly lastWords: (closing: Closing) => string
}

/** Two sockets that are joined. */
export interface Joined {
  /** Closes both. */
  close(code: number, reason: string): void
}

/**
 * Passes all that one socket receives on to the other, no faster than that one takes it, until either closes: then the
 * other is closed with the same code and reason.
 */
export function join(client: Socket, upstream: Socket, { clock, lastWords }: JoinOptions): Joined {
  const close = (socket: Socket, code?: number, reason?: string) => {
    socket.close(code, reason)
    const giveUp = clock.after(patience, () => socket.terminate())
    socket.whenOver(giveUp)
  }
  client.listen({
    message: (message) => upstream.send(message) || client.pause(),
    drained: () => upstream.resume(),
    closed({ code, reason, broke }) {
      if (broke) close(upstream, goingAway, 'The client left.')
      else close(upstream, sendable(code, goingAway), reason)
    },
  })
  upstream.listen({
    message: (message) => client.send(message) || upstream.pause(),
    drained: () => client.resume(),
    closed(closing) {
      const { code, reason, broke } = closing
      if (!broke) return close(client, sendable(code, failed), reason)
      client.send({ data: lastWords(closing), isText: true })
      close(client, failed, 'The connection to the upstream broke.')
    },
  })
  return {
    close(code, reason) {
      close(client, code, reason)
      close(upstream, code, reason)
    },
  }
}

const goingAway = 1001
const failed = 1011

/** The code for the other side. Some stand for what was not said, and can't be said (RFC 6455, 7.4.1). */
function sendable(code: number, otherwise: number): number | undefined {
  if (code === 1005) return undefined
  const isKnown = code >= 1000 && code <= 1014 && code !== 1004 && code !== 1006
  return isKnown || (code >= 3000 && code <= 4999) ? code : otherwise
}
