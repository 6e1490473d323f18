import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { ConfigError } from '../config/problems.ts'
import { drainOf } from '../runtime/draining.ts'
import { createNodeServer } from '../runtime/node-server.ts'
import { serveSockets } from '../runtime/node-sockets.ts'
import type { Order, Report } from '../runtime/workers.ts'
import { build, type WorkerJob } from './build.ts'

/** A worker process: the whole gateway, without the port. The parent process sends it the connections. */
let server: Server | undefined
let leave: (replaced: boolean) => void = () => process.exit(0)

process.on('message', (order: Order<WorkerJob>, socket?: Socket) => {
  if (order.kind === 'start') void start(order.job)
  else if (order.kind === 'stop') leave(order.replaced)
  else take(socket)
})

// Without the parent process no more connections can come.
process.on('disconnect', () => leave(false))

// Ctrl-C in a terminal signals all processes: the parent decides.
process.on('SIGINT', () => {})

process.once('SIGTERM', () => {
  process.once('SIGTERM', () => process.exit(0))
  // Not at once: connections may be on their way.
  tell({ kind: 'leaving' })
})

async function start(job: WorkerJob): Promise<void> {
  try {
    const { app, sockets, gateway, services, transport, running } = build(job, process.env)
    const built = createNodeServer(app.fetch as Parameters<typeof createNodeServer>[0], services.random)
    serveSockets(built, { ...services, open: sockets, running })
    const drain = drainOf(built, services.clock)
    const { grace } = job
    leave = (replaced) =>
      void drain({ grace, breakOff: (busy) => running.breakOff(busy), replaced }).then(() =>
        transport.close().finally(() => process.exit(0)),
      )
    await gateway.knowledge.refresh()
    // The server never listens itself, but enforces its request timeouts only after this event.
    built.emit('listening')
    server = built
    tell({ kind: 'ready' })
  } catch (error) {
    const message = error instanceof ConfigError ? error.message : String(error instanceof Error ? error.stack : error)
    tell({ kind: 'failed', message }, () => process.exit(1))
  }
}

/** Passes a connection that the parent accepted to the server. */
function take(socket: Socket | undefined): void {
  tell({ kind: 'taken' })
  // The client may have left already.
  if (!socket) return
  // Like a connection that a server accepts itself, so that a body which ends early gets its error.
  socket.allowHalfOpen = true
  server?.emit('connection', socket)
}

function tell(report: Report, done: () => void = () => {}): void {
  process.send?.(report, undefined, undefined, done)
}
