import type { Environment } from '../config/providers.ts'
import type { Config } from '../config/schema.ts'
import { noFindings } from '../config/secrets.ts'
import type { Clock } from '../core/clock.ts'
import type { Gathering } from '../observe/gathering.ts'
import { wantsLatestNames } from '../observe/latest-names.ts'
import type { KeptFigures } from '../observe/metrics/kept.ts'
import type { Tally } from '../observe/metrics/metric.ts'
import type { Metrics } from '../observe/metrics/metrics.ts'
import type { ReloadResults } from '../observe/metrics/reloads.ts'
import { readMetricsNames } from '../observe/metrics/settings.ts'
import type { Report } from '../runtime/worker-messages.ts'

export interface LateMetricsOptions {
  readonly env: Environment
  readonly clock: Clock
  readonly gathering: Gathering
  /** See `MetricsOptions`. */
  readonly exported?: boolean | undefined
  readonly reloads?: () => ReloadResults
  readonly kept?: () => KeptFigures | undefined
  /** Called once they are there. */
  readonly onLoad?: (metrics: Metrics) => void
}

/** The counts of this process, whose code is loaded when a configuration first wants them. */
export class LateMetrics {
  readonly #options: LateMetricsOptions
  #now: Metrics | undefined

  constructor(options: LateMetricsOptions) {
    this.#options = options
  }

  /** Undefined until something is to be counted. */
  get now(): Metrics | undefined {
    return this.#now
  }

  /** Resolves when they are there, if the configuration wants them. */
  async prepare(config: Config): Promise<void> {
    const { env, clock, gathering, exported, reloads, kept, onLoad } = this.#options
    // What is wrong with the setting is told by whoever builds the gateway.
    if (this.#now || !(exported || readMetricsNames(config, env, noFindings()))) return
    const { createMetrics } = await import('../observe/metrics/metrics.ts')
    const { drain: settle } = gathering
    this.#now = createMetrics({ clock, exported, reloads, kept, settle, latest: wantsLatestNames(env) })
    onLoad?.(this.#now)
  }
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
    if (round === undefined) this.#tell({ kind: 'counts', tally: this.#metrics.tally() }, done)
    else void this.#metrics.fresh().then((tally) => this.#tell({ kind: 'counts', tally, round }, done))
  }

  /** The parent's answer to a scrape. */
  answered(id: number, sum: Tally): void {
    this.#waiting.get(id)?.(sum)
    this.#waiting.delete(id)
  }
}
