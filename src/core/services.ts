import type { Clock } from './clock.ts'
import type { Downloader } from './download.ts'
import type { Log } from './log.ts'
import type { Observer } from './report.ts'
import type { Dial } from './socket.ts'
import type { Transport } from './transport.ts'

/** Everything that the gateway needs of the outside world. Entry files pass the real thing, tests their own. */
export interface Services {
  readonly transport: Transport
  /** Opens WebSockets. Absent: there are none. */
  readonly dial?: Dial
  readonly clock: Clock
  /** In [0, 1). */
  readonly random: () => number
  /** For work other than requests to models. */
  readonly fetch: typeof fetch
  /** For what callers give by address. Absent: nothing is downloaded. */
  readonly download?: Downloader
  /** Loads a file that ships with the gateway, such as a model's weights. */
  readonly asset: (name: string) => Promise<Uint8Array>
  readonly log: Log
  /** Absent: nobody is told of requests. */
  readonly observer?: Observer | undefined
}
