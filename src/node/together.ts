import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { Environment } from '../config/providers.ts'
import { lastTelemetry, lastWords } from '../runtime/draining.ts'
import { closeDoor, listen } from '../runtime/listening.ts'
import { Workers } from '../runtime/workers.ts'
import { urlOf } from '../start-text.ts'
import type { Arguments } from './arguments.ts'
import type { Job, WorkerJob } from './build.ts'
import { LiveConfig } from './live-config.ts'
import { loadMetricsExport } from './metrics-export.ts'
import { rereader } from './read-again.ts'
import { reloadWhenTold } from './reload-when.ts'
import { answerConfig } from './remote-config.ts'
import { Serving } from './serving.ts'
import { whenTold } from './signals.ts'

/** Milliseconds beyond the grace period before workers are killed. */
const reserve = lastWords + lastTelemetry + 1_000

/**
 * Serves in worker processes, to which this process distributes the connections, until a signal
 * arrives. Calls `told` when one does.
 */
export async function serveTogether(
  job: Job,
  { host, port, workers: count, grace }: Arguments,
  env: Environment,
  told: () => void,
): Promise<void> {
  // Built here too, only to report mistakes once and to print the start text.
  const serving = new Serving(job, env)
  const { log } = serving
  const { clock } = serving.shared.services
  const started = clock.now()
  const { gateway, notes, announce } = serving.now
  const { begin, notes: exportNotes } = await loadMetricsExport(env)
  const exported = begin !== undefined
  for (const note of new Set([...notes, ...((await serving.now.ready) ?? []), ...exportNotes])) log(note, 'warn')
  const live: LiveConfig = new LiveConfig({
    job,
    read: rereader(job, env),
    async apply(next) {
      const told = serving.check(next)
      await workers.reload({ ...next, grace, exported })
      return told
    },
    workers: () => workers.versions.map(({ pid, version }) => ({ pid, hash: version })),
    clock,
    log,
  })
  const file = fileURLToPath(new URL('./worker.ts', import.meta.url))
  const workers = new Workers<WorkerJob>({
    count,
    file,
    job: { ...job, grace, exported },
    clock,
    log,
    answer: (question) => answerConfig(question, live),
    async own() {
      const { reloadTally } = await import('../observe/metrics/reloads.ts')
      return reloadTally(live.results, started)
    },
  })
  const door = createServer({ pauseOnConnect: true, noDelay: true }, (socket) => workers.deal(socket))
  const exporter = begin?.(() => workers.gather(), { ...serving.shared.services, log })
  const end = () => {
    workers.kill()
    process.exit(0)
  }
  /** All that workers tell has been told by then. */
  const last = () => void (exporter?.close(lastTelemetry) ?? Promise.resolve()).finally(end)
  const stop = () => {
    told()
    setTimeout(end, grace + reserve + (exporter ? lastTelemetry : 0))
    closeDoor(door, () => void workers.stop().then(last))
  }
  whenTold(stop, end)
  const actual = await listen(door, host, port)
  try {
    const [pids] = await Promise.all([workers.start(), gateway.knowledge.refresh()])
    await reloadWhenTold(live, job, log)
    announce(urlOf(host, actual), pids)
  } catch (error) {
    workers.kill()
    throw error
  }
}
