import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { ConfigError } from '../config/problems.ts'
import { drainOf } from '../runtime/listening.ts'
import { createNodeServer } from '../runtime/node-server.ts'
import type { Order, Report } from '../runtime/workers.ts'
import { build, type Job } from './build.ts'
import { grace } from './signals.ts'

/** What runs in a worker: the whole gateway, but for the port. Its connections come from the process that started it. */
let server: Server | undefined
let leave: () => void = () => process.exit(0)

process.on('message', (order: Order<Job>, socket?: Socket) => {
  if (order.kind === 'start') void start(order.job)
  else if (order.kind === 'stop') leave()
  else take(socket)
})

// Without the process that has the port there is nothing to come.
process.on('disconnect', () => leave())

// A terminal's Ctrl-C goes to all processes: the one that has the port decides.
process.on('SIGINT', () => {})

process.once('SIGTERM', () => {
  process.once('SIGTERM', () => process.exit(0))
  // Not at once: connections may be on their way.
  tell({ kind: 'leaving' })
})

async function start(job: Job): Promise<void> {
  try {
    const { app, gateway, services, transport } = build(job, process.env)
    const built = createNodeServer(app.fetch as Parameters<typeof createNodeServer>[0], services.random)
    const drain = drainOf(built, services.clock)
    leave = () => void drain(grace).then(() => transport.close().finally(() => process.exit(0)))
    await gateway.knowledge.refresh()
    // It never listens itself, but looks for requests that don't come in time only from this event on.
    built.emit('listening')
    server = built
    tell({ kind: 'ready' })
  } catch (error) {
    const message = error instanceof ConfigError ? error.message : String(error instanceof Error ? error.stack : error)
    tell({ kind: 'failed', message }, () => process.exit(1))
  }
}

/** Does for a connection that was accepted elsewhere what a server does for its own. */
function take(socket: Socket | undefined): void {
  tell({ kind: 'taken' })
  // The client may have left on the way.
  if (!socket) return
  // A client may have no more to say and still wait for the answer.
  socket.allowHalfOpen = true
  server?.emit('connection', socket)
}

function tell(report: Report, done: () => void = () => {}): void {
  process.send?.(report, undefined, undefined, done)
}
