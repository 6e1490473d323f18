import { randomUUID } from 'node:crypto'
import type { Environment } from '../config/providers.ts'
import type { Services } from '../core/services.ts'
import { isExporting } from '../observe/exporting.ts'
import type { Tally } from '../observe/metrics/metric.ts'

export interface MetricsExport {
  /** What is wrong with its variables, for the log. */
  readonly notes: readonly string[]
  /** Absent: nothing is exported. `gather`: what was counted so far, by all processes. */
  readonly begin?: (
    gather: () => Promise<Tally>,
    services: Pick<Services, 'clock' | 'random' | 'transport' | 'log'>,
  ) => {
    /** Exports once more; takes `ms` milliseconds at most. */
    close(ms: number): Promise<void>
  }
}

/** The export of metrics to a collector, whose code is loaded if the environment names one. */
export async function loadMetricsExport(env: Environment): Promise<MetricsExport> {
  if (!isExporting('METRICS', env)) return { notes: [] }
  const { readMetricsSettings } = await import('../observe/otlp/metrics-settings.ts')
  const notes = new Set<string>()
  const settings = readMetricsSettings(env, (problem) => void notes.add(problem))
  if (!settings) return { notes: [...notes] }
  const { MetricsExporter } = await import('../observe/otlp/metrics-exporter.ts')
  return {
    notes: [...notes],
    begin: (gather, services) => new MetricsExporter({ settings, services, gather, instance: randomUUID() }),
  }
}
