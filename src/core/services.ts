import type { Clock } from './clock.ts'
import type { Transport } from './transport.ts'

/** All that the outside world is to the gateway: an entry file passes the real one in, a test its own. */
export interface Services {
  readonly transport: Transport
  readonly clock: Clock
  /** In [0, 1). */
  readonly random: () => number
  /** For work off the chat path. */
  readonly fetch: typeof fetch
  /** A file that the runtime carries, such as a model's weights. */
  readonly asset: (name: string) => Promise<Uint8Array>
  readonly log: (message: string) => void
}
