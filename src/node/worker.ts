import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { ConfigError } from '../config/problems.ts'
import { drainOf, lastTelemetry } from '../runtime/draining.ts'
import { createNodeServer } from '../runtime/node-server.ts'
import { serveSockets } from '../runtime/node-sockets.ts'
import type { Order, Report } from '../runtime/worker-messages.ts'
import { gathering, outside, type WorkerJob } from './build.ts'
import { Keeper } from './keeper.ts'
import { LateMetrics, WorkerMetrics } from './metrics.ts'
import { RemoteConfig } from './remote-config.ts'
import { Serving } from './serving.ts'

/** A worker process: the whole gateway, without the port. The parent process sends it the connections. */
let server: Server | undefined
let serving: Serving | undefined
let counts: WorkerMetrics | undefined
const keeper = new Keeper(process.env, outside)
let leave: (replaced: boolean) => void = () => process.exit(0)
/** Jobs are taken one after the other. */
let turn = Promise.resolve()
const config = new RemoteConfig(tell)

process.on('message', (order: Order<WorkerJob>, socket?: Socket) => {
  if (order.kind === 'start') turn = turn.then(() => start(order.job))
  else if (order.kind === 'reload') turn = turn.then(() => reload(order.job))
  else if (order.kind === 'answer') config.answered(order.id, order.value, order.failure)
  else if (order.kind === 'stop') leave(order.replaced)
  else if (order.kind === 'count') counts?.count(order.round)
  else if (order.kind === 'dead') void keeper.bury(order.owner)
  else if (order.kind === 'counted') counts?.answered(order.id, order.sum)
  else take(socket)
})

// Without the parent process no more connections can come.
process.on('disconnect', () => leave(false))

// Signals to the whole process group, as from a terminal: the parent decides.
process.on('SIGINT', () => {})
process.on('SIGHUP', () => {})

process.once('SIGTERM', () => {
  process.once('SIGTERM', () => process.exit(0))
  // Not at once: connections may be on their way.
  tell({ kind: 'leaving' })
})

async function start(job: WorkerJob): Promise<void> {
  try {
    const metrics = new LateMetrics({
      env: process.env,
      clock: outside.clock,
      gathering,
      exported: job.exported,
      kept: () => keeper.figures,
      onLoad(made) {
        counts = new WorkerMetrics(made, tell)
      },
    })
    await metrics.prepare(job.config)
    await keeper.prepare(job.config)
    const first = new Serving(job, process.env, { control: config, metrics, keeper })
    serving = first
    await first.now.ready
    const { services, transport, running } = serving.shared
    const built = createNodeServer(first.fetch, services.random)
    serveSockets(built, { ...services, open: first.sockets, running })
    const drain = drainOf(built, services.clock)
    const { grace } = job
    leave = (replaced) => {
      // Where another process takes its place, nobody needs to avoid the gateway.
      if (!replaced) running.phase = 'stopping'
      const drained = drain({ grace, breakOff: (busy) => running.breakOff(busy), replaced })
      void Promise.all([drained, keeper.idle(grace)]).then(() =>
        // The last telemetry goes the same way as requests to models.
        first
          .close(lastTelemetry)
          .finally(() => Promise.all([transport.close(), keeper.close()]))
          .finally(end),
      )
    }
    await first.now.gateway.knowledge.refresh()
    // The server never listens itself, but enforces its request timeouts only after this event.
    built.emit('listening')
    server = built
    tell({ kind: 'ready', version: job.hash, owner: keeper.owner })
  } catch (error) {
    tell({ kind: 'failed', message: messageOf(error) }, () => process.exit(1))
  }
}

async function reload(job: WorkerJob): Promise<void> {
  try {
    await serving?.replace(job)
    tell({ kind: 'reloaded', version: job.hash, owner: keeper.owner })
  } catch (error) {
    tell({ kind: 'unfit', message: messageOf(error) })
  }
}

function messageOf(error: unknown): string {
  return error instanceof ConfigError ? error.message : String(error instanceof Error ? error.stack : error)
}

/** Ends, once the parent knows what was counted here. */
function end(): void {
  if (counts && process.connected) counts.count(undefined, () => process.exit(0))
  else process.exit(0)
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
