import { type Tally, tallyOf } from './metric.ts'
import { ownMetrics } from './own-names.ts'

/** How often the configuration was read again, by what came of it. */
export type ReloadResults = Readonly<Record<'applied' | 'unchanged' | 'kept' | 'rolled_back', number>>

const none: ReloadResults = { applied: 0, unchanged: 0, kept: 0, rolled_back: 0 }

/** All series of the metric, so that even the first reload is seen as an increase. */
export function reloadResults(results: ReloadResults = none): [labels: [string], value: number][] {
  return Object.entries(results).map(([result, count]) => [[result], count])
}

/** The counts of a process that answers no requests itself, only reads the configuration for others. */
export function reloadTally(results: ReloadResults, started: number): Tally {
  const all = reloadResults(results).map(([labels, count]) => [ownMetrics.reloads, labels, count] as const)
  return tallyOf(all, { started, series: [], values: new Float64Array() })
}
