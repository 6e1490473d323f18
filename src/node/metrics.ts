import type { Environment } from '../config/providers.ts'
import type { Config } from '../config/schema.ts'
import { noFindings } from '../config/secrets.ts'
import type { Clock } from '../core/clock.ts'
import type { Tally } from '../observe/metrics/metric.ts'
import type { Metrics } from '../observe/metrics/metrics.ts'
import { readMetricsSettings } from '../observe/metrics/settings.ts'
import type { Report } from '../runtime/workers.ts'

/** The counts of this process; undefined, and nothing is loaded, if none are wanted. */
export async function loadMetrics(config: Config, env: Environment, clock: Clock): Promise<Metrics | undefined> {
  // What is wrong with them is told by whoever builds the gateway.
  const settings = readMetricsSettings(config, env, noFindings())
  if (!settings) return undefined
  const { createMetrics } = await import('../observe/metrics/metrics.ts')
  return createMetrics({ settings, clock })
}

/** Milliseconds after which a worker tells its parent what it has counted. What came later is lost if it is killed. */
const interval = 5_000

/** The counts of a worker: those of all workers are known to the parent alone. */
export class WorkerMetrics {
  readonly #metrics: Metrics
  readonly #tell: (report: Report, done?: () => void) => void
  readonly #waiting = new Map<number, (sum: Tally) => void>()
  #id = 0

  constructor(metrics: Metrics, tell: (report: Report, done?: () => void) => void) {
    this.#metrics = metrics
    this.#tell = tell
    metrics.gather = () =>
      new Promise((resolve) => {
        const id = ++this.#id
        this.#waiting.set(id, resolve)
        tell({ kind: 'scrape', id })
      })
    setInterval(() => this.count(), interval).unref()
  }

  /** Tells the parent what was counted. `round`: the parent's number for its question. */
  count(round?: number, done?: () => void): void {
    this.#tell({ kind: 'counts', tally: this.#metrics.tally(), ...(round !== undefined && { round }) }, done)
  }

  /** The parent's answer to a scrape. */
  answered(id: number, sum: Tally): void {
    this.#waiting.get(id)?.(sum)
    this.#waiting.delete(id)
  }
}
