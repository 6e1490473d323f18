import { ours } from './contenders.ts'
import { printTable, short } from './report.ts'
import { figuresOf, type Readings, ratioOf } from './rounds.ts'
import { median } from './statistics.ts'

export const names = {
  plain: 'plain 2 KB, c = 16',
  alone: 'plain 2 KB, c = 1',
  large: '139 KB request, c = 8',
  untouched: '32 streams at 5 ms, untouched',
  observed: '32 streams at 5 ms, observed',
  checked: '32 streams at 5 ms, checked',
  translated: '32 streams at 5 ms, translated',
  responses: '32 streams at 5 ms, responses of chats',
  held: '512 streams at 20 ms',
  first: 'time to first token, c = 1',
  memory: 'peak memory under these',
  cold: 'cold start',
  coldWorker: 'start-up CPU of the Worker',
  script: 'script at start, minified, gzip',
  bundle: 'all scripts, minified, gzip',
} as const

interface Target {
  readonly scenario: string
  readonly figure: string
  readonly who: string
  /** Undefined if the figure itself counts, not a ratio. */
  readonly yardstick?: string
  readonly limit: number
  readonly unit?: string
  /** Whether the limit is a minimum. */
  readonly atLeast?: boolean
}

function ratios(scenario: string, figure: string, limits: Readonly<Record<string, number>>): Target[] {
  return Object.entries(limits).map(([yardstick, limit]) => {
    return { scenario, figure, who: yardstick === 'W' ? ours.worker : ours.node, yardstick, limit }
  })
}

function absolute(scenario: string, who: string, figure: string, more: Pick<Target, 'limit' | 'unit' | 'atLeast'>) {
  return { scenario, who, figure, ...more }
}

/** The targets of one run. */
export const targets: readonly Target[] = [
  ...ratios(names.plain, 'cpu', { F: 1.35, P: 0.13, W: 1.25 }),
  ...ratios(names.alone, 'added', { F: 1.3, P: 0.3, W: 1.3 }),
  ...ratios(names.untouched, 'cpu', { F: 1.1, P: 0.6, W: 1.05 }),
  ...ratios(names.observed, 'cpu', { F: 1.25, W: 2 }),
  ...ratios(names.checked, 'cpu', { F: 1.25, W: 4 }),
  ...ratios(names.translated, 'cpu', { F: 1.6, W: 2.5 }),
  ...ratios(names.responses, 'cpu', { F: 1.6 }),
  ...ratios(names.first, 'added', { P: 0.03, W: 1.3 }),
  ...[ours.node, ours.worker].flatMap((who) => [
    absolute(names.held, who, 'frames', { limit: 99.9, unit: '%', atLeast: true }),
    absolute(names.held, who, 'gap', { limit: 40, unit: 'ms' }),
  ]),
  ...ratios(names.large, 'cpu', { S: 1.4, P: 0.15, W: 1.3 }),
  ...ratios(names.memory, 'peak', { P: 0.6 }),
  absolute(names.cold, ours.node, 'start', { limit: 250, unit: 'ms' }),
  absolute(names.coldWorker, ours.worker, 'cpu ms', { limit: 50, unit: 'ms' }),
  absolute(names.script, ours.worker, 'size', { limit: 100, unit: 'KB' }),
]

/** Prints one line per target that was measured: the result, the limit, and whether it is reached. */
export function printTargets(results: Readonly<Record<string, Readings>>): void {
  const rows = targets
    .filter(({ scenario }) => results[scenario])
    .map((target) => {
      const { scenario, figure, who, yardstick, limit, unit = yardstick, atLeast } = target
      const value = measured(target, results[scenario] ?? {})
      const reached = atLeast ? value >= limit : value <= limit
      const verdict = Number.isNaN(value) ? 'not measured' : reached ? 'reached' : 'MISSED'
      const figureText = Number.isNaN(value) ? '–' : `${short(value)} ${unit}`
      return [`${scenario}: ${figure}, ${who}`, figureText, `${atLeast ? '≥' : '≤'} ${limit} ${unit}`, verdict]
    })
  console.log('\nTargets')
  printTable([['', 'figure', 'target', ''], ...rows])
}

function measured({ figure, who, yardstick }: Target, readings: Readings): number {
  return yardstick === undefined
    ? median(figuresOf(readings, who, figure))
    : ratioOf(readings, who, yardstick, figure).median
}
