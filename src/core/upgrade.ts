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

/** The upstream's WebSocket is open. Exactly one of the two functions is to be called. */
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

/** Opens the upstream's WebSocket for a client's, or says why not. Never rejects. */
export type Realtime = (upgrade: Upgrade) => Promise<Accepted | Refused>

export function isRefused(outcome: Accepted | Refused): outcome is Refused {
  return 'status' in outcome
}
