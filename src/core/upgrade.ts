import type { HeaderReader } from '../wire/headers.ts'
import type { Joined } from './join.ts'
import type { Signal } from './signal.ts'
import type { Socket } from './socket.ts'

/** A client's request for a WebSocket. */
export interface Upgrade {
  readonly url: string
  readonly header: HeaderReader
  /** Aborted when the client leaves before its WebSocket is open. */
  readonly signal: Signal
}

/** The other end is there. Exactly one of the two functions is to be called. */
export interface Accepted {
  /** The subprotocol to answer with. */
  readonly protocol: string | undefined
  readonly headers: Readonly<Record<string, string>>
  join(client: Socket): Joined
  /** The client has left meanwhile. */
  drop(): void
}

export interface Refused {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Finds what a client's WebSocket is to be joined to, or says why not. Never rejects. */
export type Sockets = (upgrade: Upgrade) => Promise<Accepted | Refused>

export function isRefused(outcome: Accepted | Refused): outcome is Refused {
  return 'status' in outcome
}
