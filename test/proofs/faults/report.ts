import { printTable, short } from '../../bench/report.ts'
import { type Report, type Row, sumOf } from './campaign.ts'
import { goalsOf } from './goals.ts'
import type { Figures } from './measure.ts'

/** Maximum problems to print. */
const most = 20

export const kinds = ['none', 'before', 'after', 'told', 'harmless'] as const

const columns = [
  'times',
  'avoided',
  'whole',
  'raised',
  'told',
  'silent',
  'invented',
  'wrong',
  'hung',
  'undone',
] as const

/** Rows in the order of their kinds, then by name. */
export function sorted(rows: ReadonlyMap<string, Row>): [name: string, row: Row][] {
  const order = (name: string) => kinds.findIndex((start) => name.startsWith(start))
  return [...rows].sort(([a], [b]) => order(a) - order(b) || a.localeCompare(b))
}

/** Prints what came of a campaign. */
export function printCampaign(title: string, { rows, wires, apis, told, problems, seconds, pause }: Report): void {
  console.log(`\n${title}, ${seconds.toFixed(0)} s, longest pause of this program ${pause.toFixed(0)} ms`)
  const line = (name: string, row: Row) => [
    name,
    ...columns.map((column) => String(row[column])),
    (row.attempts / row.times).toFixed(2),
  ]
  printTable([
    ['', ...columns, 'attempts'],
    ...sorted(rows).map(([name, row]) => line(name, row)),
    ...[...wires].map(([wire, row]) => line(`on ${wire}`, row)),
    ...[...apis].map(([api, row]) => line(`for ${api}`, row)),
    line('all', sumOf(rows.values())),
  ])
  console.log(`  raised by: ${[...told].map(([how, times]) => `${how} ${times}`).join(', ') || 'nobody'}`)
  console.log(`  ${problems.length} not as it should be`)
  for (const problem of problems.slice(0, most)) console.log(`    ${problem}`)
}

/** Prints everything about one gateway, and returns whether all demands hold. */
export function print(figures: Figures): boolean {
  const { campaign, gone, hedge, left, name, outages, resume } = figures
  if (campaign) printCampaign(name, campaign)
  if (left) {
    const alive = Object.entries(left.alive).map(([what, count]) => `${what} ${count}`)
    if (alive.length > 0) console.log(`  more than before, a second after: ${alive.join(', ')}`)
    for (const line of left.uncaught.slice(0, most)) console.log(`    ${line.slice(0, 200)}`)
  }
  if (gone) {
    console.log(`\n${name}: clients that leave, and their upstreams`)
    printTable([
      ['', 'times', 'p50 ms', 'p99 ms', 'most ms', 'never', 'chunks', 'again'],
      ...gone.map(({ phase, manner, times, p50, p99, most, missed, chunks, again }) => [
        `${phase}, client ${manner}`,
        ...[String(times), ...[p50, p99, most].map(milliseconds), ...[missed, chunks, again].map(String)],
      ]),
    ])
  }
  if (outages) {
    console.log(`\n${name}: the first deployment is down for good`)
    printTable([
      ['', 'requests', 'noticed', 'attempts, first', 'then', 'ms, first', 'then', 'asked again after s'],
      ...outages.map(({ name, requests, noticed, first, later, firstMs, laterMs, back }) => [
        name,
        ...[requests, noticed].map(String),
        ...[first, later].map((value) => value.toFixed(3)),
        ...[firstMs, laterMs].map(milliseconds),
        back === undefined ? 'never' : back.toFixed(1),
      ]),
    ])
  }
  if (resume) {
    console.log(`\n${name}: streams that are cut`)
    const cells = ['times', 'whole', 'raised', 'silent', 'invented', 'wrong', 'hung'] as const
    printTable([
      ['', ...cells],
      ...[['at random bytes', resume.cuts] as const, ...resume.declined].map(([what, row]) => [
        what,
        ...cells.map((cell) => String(row[cell])),
      ]),
    ])
  }
  if (hedge) {
    console.log(`\n${name}: a deployment that stalls now and then, first token`)
    printTable([
      ['', 'requests', 'failed', 'p50 ms', 'p95 ms', 'p99 ms', 'attempts'],
      ...hedge.map(({ name, requests, failed, p50, p95, p99, attempts }) => [
        name,
        ...[requests, failed].map(String),
        ...[p50, p95, p99].map(milliseconds),
        attempts.toFixed(3),
      ]),
    ])
  }
  return printGoals(figures)
}

function printGoals(figures: Figures): boolean {
  const goals = goalsOf(figures)
  console.log(`\n${figures.name}`)
  printTable(
    goals.map(({ what, figure, held, known }) => [
      what,
      figure,
      held ? 'reached' : known ? 'missed, as the README says' : 'MISSED',
    ]),
  )
  return goals.every(({ held, known }) => held || known)
}

export function milliseconds(value: number): string {
  return Number.isFinite(value) ? short(value) : '–'
}
