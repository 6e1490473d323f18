import { ours } from './contenders.ts'
import { doubts, figuresOf, type Readings, ratioOf } from './rounds.ts'
import { spreadOf } from './statistics.ts'

const yardsticks: Readonly<Record<string, readonly string[]>> = {
  [ours.node]: ['F', 'S', 'P'],
  [ours.worker]: ['W'],
  P: ['F'],
}

const units: Readonly<Record<string, string>> = {
  cpu: 'µs',
  p50: 'µs',
  p99: 'µs',
  added: 'µs',
  delay: 'µs',
  'delay p99': 'µs',
  frames: '%',
  others: '%',
  gap: 'ms',
  'hold-up': 'ms',
  start: 'ms',
  peak: 'MB',
  size: 'KB',
}

/** Prints the medians of each contender with their quartiles, then the relevant ratios. */
export function printReadings(title: string, readings: Readings): void {
  const names = Object.keys(readings)
  const figures = [...new Set(names.flatMap((name) => (readings[name] ?? []).flatMap((r) => Object.keys(r ?? {}))))]
  console.log(`\n${title}`)
  printTable([
    ['', ...figures.map((figure) => (units[figure] ? `${figure} ${units[figure]}` : figure))],
    ...names.map((name) => [name, ...figures.map((figure) => textOf(figuresOf(readings, name, figure)))]),
  ])
  for (const [name, theirs] of Object.entries(yardsticks)) {
    const ratios = ['cpu', 'added', 'start', 'peak'].flatMap((figure) =>
      theirs.flatMap((yardstick) => {
        const { median, lower, upper } = ratioOf(readings, name, yardstick, figure)
        return Number.isNaN(median) ? [] : `${figure} ${short(median)} ${yardstick} (${short(lower)}–${short(upper)})`
      }),
    )
    if (ratios.length > 0) console.log(`  ${name}: ${ratios.join(', ')}`)
  }
  for (const doubt of doubts(readings)) console.log(`  too noisy to count: ${doubt}`)
}

/** Prints a table. The first column is left-aligned, the others are right-aligned. */
export function printTable(rows: readonly (readonly string[])[]): void {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)))
  for (const row of rows) {
    const cells = row.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
    console.log(`  ${cells.join('   ')}`.trimEnd())
  }
}

function textOf(values: readonly number[]): string {
  const { median, lower, upper } = spreadOf(values)
  if (Number.isNaN(median)) return '–'
  return values.length === 1 ? short(median) : `${short(median)} (${short(lower)}–${short(upper)})`
}

/** Rounds to three digits; more would not be reliable. */
export function short(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2)
}
