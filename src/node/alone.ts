import type { Environment } from '../config/providers.ts'
import { drainOf, lastTelemetry } from '../runtime/draining.ts'
import { listen } from '../runtime/listening.ts'
import { createNodeServer } from '../runtime/node-server.ts'
import { serveSockets } from '../runtime/node-sockets.ts'
import { urlOf } from '../start-text.ts'
import type { Arguments } from './arguments.ts'
import { gathering, type Job, outside } from './build.ts'
import { Keeper } from './keeper.ts'
import { LiveConfig } from './live-config.ts'
import { LateMetrics } from './metrics.ts'
import { loadMetricsExport } from './metrics-export.ts'
import { rereader } from './read-again.ts'
import { reloadWhenTold } from './reload-when.ts'
import { Serving } from './serving.ts'
import { whenTold } from './signals.ts'

/** Serves in this process until a signal arrives. Calls `told` when one does. */
export async function serveAlone(
  job: Job,
  { host, port, grace }: Arguments,
  env: Environment,
  told: () => void,
): Promise<void> {
  const live: LiveConfig = new LiveConfig({
    job,
    read: rereader(job, env),
    apply: (next) => serving.replace(next),
    clock: outside.clock,
    log: (message, level) => serving.log(message, level),
  })
  const { begin, notes: exportNotes } = await loadMetricsExport(env)
  const exported = begin !== undefined
  const keeper = new Keeper(env, outside)
  const { clock } = outside
  const metrics = new LateMetrics({
    ...{ env, clock, gathering, exported },
    ...{ reloads: () => live.results, kept: () => keeper.figures },
  })
  await metrics.prepare(job.config)
  await keeper.prepare(job.config)
  const serving = new Serving(job, env, { control: live, metrics, keeper })
  const { services, transport, running } = serving.shared
  const { gateway, notes, announce } = serving.now
  for (const note of new Set([...notes, ...((await serving.now.ready) ?? []), ...exportNotes]))
    serving.log(note, 'warn')
  const { now: counts } = metrics
  const exporter = counts && begin?.(counts.gather, { ...services, log: serving.log })
  const server = createNodeServer(serving.fetch, services.random)
  serveSockets(server, { ...services, open: serving.sockets, running })
  const drain = drainOf(server, services.clock)
  const end = () => {
    const closed = Promise.all([serving.close(lastTelemetry), exporter?.close(lastTelemetry)])
    // The last telemetry goes the same way as requests to models.
    const closing = closed.finally(() => Promise.all([transport.close(), keeper.close()]))
    void closing.finally(() => process.exit(0))
  }
  const stop = () => {
    told()
    running.phase = 'stopping'
    const drained = drain({ grace, breakOff: (busy) => running.breakOff(busy), replaced: false })
    void Promise.all([drained, keeper.idle(grace)]).then(end)
  }
  whenTold(stop, end)
  running.phase = 'starting'
  const actual = await listen(server, host, port)
  await gateway.knowledge.refresh()
  await reloadWhenTold(live, job, serving.log)
  if (running.phase === 'starting') running.phase = 'serving'
  announce(urlOf(host, actual))
}
