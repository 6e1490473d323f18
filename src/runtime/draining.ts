import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock } from '../core/clock.ts'
import { closeDoor } from './listening.ts'
import { hasQueued } from './node-pipeline.ts'

/** A connection and the response that is being written to it. */
type Connection = Socket & { readonly _httpMessage?: ServerResponse | null }

/** Milliseconds between two checks of the open connections. */
const step = 50
/** Milliseconds to wait for a connection that has sent nothing yet: its request is probably on its way. */
const courtesy = 500

/** Milliseconds in which clients can take the last words of answers that were broken off. */
export const lastWords = 1_000
/** Milliseconds in which what was gathered for a collector can be sent when the process ends. */
export const lastTelemetry = 2_000

export interface DrainOptions {
  /** Milliseconds that running answers have to finish. */
  readonly grace: number
  /** Called once they are over, if answers still run, with those that connections are busy with. */
  readonly breakOff: (busy: readonly ServerResponse[]) => void
  /** Whether another process already serves new connections: then nothing is refused. */
  readonly replaced: boolean
}

interface Drain {
  /** Connections that have carried a request. */
  readonly spent: WeakSet<Socket>
  /** Which requests are refused. All are once answers have been broken off: one that begins then would break too. */
  refuses: 'none' | 'later' | 'all'
  readonly over: Promise<void>
}

const drains = new WeakMap<Server, Drain>()

/**
 * Whether a request comes too late: its server shuts down, and its connection has carried another one. The first request
 * of a connection was on its way before its client could know, so it is served, as the last one there.
 */
export function comesTooLate(server: Server, { socket }: IncomingMessage, response: ServerResponse): boolean {
  const drain = drains.get(server)
  if (!drain) return false
  if (drain.refuses === 'all' || (drain.refuses === 'later' && drain.spent.has(socket))) return true
  drain.spent.add(socket)
  response.shouldKeepAlive = false
  return false
}

/**
 * Returns a function that shuts the server down: it accepts no new connections, lets the running answers end, breaks
 * them off after `grace`, and resolves when the last connection has closed, or soon after that. Idle connections stay
 * open as long as there are answers, so that a request on one of them is refused in words rather than by a reset. Call
 * it before the first connection arrives. What it returns can be called again, for a server that is no more replaced.
 */
export function drainOf(server: Server, clock: Clock): (options: DrainOptions) => Promise<void> {
  const open = new Set<Connection>()
  server.on('connection', (socket: Socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
  })

  function over(grace: number, breakOff: () => void): Promise<void> {
    const began = clock.now()
    let broken = false
    return new Promise((resolve) => {
      function look() {
        const waited = clock.now() - began
        const isAwaited = (socket: Connection) => (isFresh(socket) ? waited < courtesy : isBusy(socket))
        if (![...open].some(isAwaited)) {
          server.closeIdleConnections()
          // Node does not count these as idle.
          for (const socket of open) if (isFresh(socket)) socket.destroy()
        }
        if (open.size === 0 || waited >= grace + lastWords) return resolve()
        if (waited >= grace && !broken) {
          broken = true
          breakOff()
        }
        clock.after(step, look)
      }
      closeDoor(server, look)
    })
  }

  return function drain(options) {
    const begun = drains.get(server)
    if (begun) {
      if (!options.replaced && begun.refuses === 'none') begun.refuses = 'later'
      return begun.over
    }
    const spent = new WeakSet<Socket>()
    for (const socket of open) {
      if (socket._httpMessage || socket.bytesWritten > 0) spent.add(socket)
      endWithAnswer(socket)
    }
    const breakOff = () => {
      begins.refuses = 'all'
      options.breakOff([...open].flatMap(({ _httpMessage: running }) => running ?? []))
    }
    const begins: Drain = { spent, refuses: options.replaced ? 'none' : 'later', over: over(options.grace, breakOff) }
    drains.set(server, begins)
    return begins.over
  }
}

/** Has the running answer tell its client to send nothing after it, if it can still do so and is the last one. */
function endWithAnswer(socket: Connection): void {
  const { _httpMessage: running } = socket
  if (running && !running.headersSent && !hasQueued(socket)) running.shouldKeepAlive = false
}

function isFresh({ bytesRead }: Socket): boolean {
  return bytesRead === 0
}

/** Node counts a connection as idle while the end of its answer is still queued, and would cut it off. */
function isBusy({ _httpMessage: running, writableLength }: Connection): boolean {
  return Boolean(running) || writableLength > 0
}
