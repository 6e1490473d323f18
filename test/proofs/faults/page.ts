import { cpus } from 'node:os'
import { emptyRow, type Row } from './campaign.ts'
import { limits } from './gateways.ts'
import { goalsOf } from './goals.ts'
import type { GoneRow } from './gone.ts'
import type { Figures, Measuring } from './measure.ts'
import { kinds, milliseconds, sorted } from './report.ts'
import { verdicts } from './verdict.ts'

const headings: Readonly<Record<(typeof kinds)[number], string>> = {
  none: 'No fault',
  before: 'Faults before the first content: another deployment can answer, and the client need not notice',
  after: 'Faults after the first content: the client has to be told',
  told: "The client's own errors: told, or answered by another deployment",
  harmless: 'Faults that leave the answer complete',
}

/** The page `docs/faults.md`: what came of every fault at every gateway of one run. */
export function pageOf(all: readonly Figures[], { faults, seed }: Measuring): string {
  return `${[
    '# Faults',
    '',
    `Written by \`npm run faults\`, seed ${seed}, Node ${process.versions.node}, ${cpus()[0]?.model.trim()}, ` +
      `${cpus().length} cores. ${percent(faults)} of the requests meet a fault at the first deployment; the fallback is ` +
      'healthy. A third of the faults last for every attempt on the first deployment. The requests to samewire come by ' +
      "OpenAI's two APIs, Anthropic's, Gemini's and Ollama's, and their first deployments have some of these themselves; " +
      'those to others are for chats. All gateways have the same ' +
      `limits, as far as they know them: ${limits.timeout} seconds for an answer or the first content, ` +
      `${limits.idleTimeout} between two events. ` +
      'A connection that is reset under the next request may hit a request of any row. Portkey has a fallback, that time ' +
      'limit, and its defaults.',
    '',
    ...summary(all),
    ...kinds.flatMap((kind) => faultTable(all, kind)),
    ...goneTable(all),
    ...outageTable(all),
  ].join('\n')}\n`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return []
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line), '']
}

/** One row per demand, with the figure of each gateway. */
function summary(all: readonly Figures[]): string[] {
  const goals = all.map((figures) => new Map(goalsOf(figures).map((goal) => [goal.what, goal])))
  const whats = [...new Set(goals.flatMap((known) => [...known.keys()]))]
  const cell = (known: (typeof goals)[number], what: string) => {
    const goal = known.get(what)
    if (!goal) return '–'
    return `${goal.figure}${goal.held ? '' : goal.known ? ' (✗)' : ' ✗'}`
  }
  return [
    '## Summary',
    '',
    '✗ marks what the command counts as a failure of the gateway, (✗) what the README says of it. – was not measured.',
    '',
    ...table(
      ['', ...all.map(({ name }) => name)],
      [
        ['requests', ...all.map(({ requests }) => String(requests))],
        ...whats.map((what) => [what, ...goals.map((known) => cell(known, what))]),
      ],
    ),
  ]
}

/** The share of the requests that ended as they should, and how the others ended. */
function faultTable(all: readonly Figures[], kind: (typeof kinds)[number]): string[] {
  const rows = all.map(({ campaign }) => campaign?.rows ?? new Map<string, Row>())
  const known = new Map(rows.flatMap((map) => sorted(map).filter(([name]) => name.startsWith(kind))))
  if (known.size === 0) return []
  const named = (name: string) => (name === kind ? 'all' : name.slice(kind.length + 2))
  return [
    `## ${headings[kind]}`,
    '',
    ...table(
      ['', ...all.map(({ name }) => name)],
      sorted(known).map(([name]) => [named(name), ...rows.map((map) => outcome(map.get(name) ?? emptyRow(), kind))]),
    ),
  ]
}

const expected = { none: 'whole', before: 'whole', after: 'raised', told: 'told', harmless: 'whole' } as const

function outcome(row: Row, kind: keyof typeof expected): string {
  if (row.times === 0) return '–'
  if (row.right === row.times) return '100 %'
  const others = verdicts.filter((verdict) => verdict !== expected[kind] && row[verdict] > 0)
  const wrong = others.map((verdict) => `${row[verdict]} ${verdict}`)
  return `${percent(row.right / row.times)} (${wrong.join(', ')})`
}

function percent(share: number): string {
  return `${Math.floor(share * 1000) / 10} %`
}

function goneTable(all: readonly Figures[]): string[] {
  const measured = all.filter(({ gone }) => gone)
  const phases = (measured[0]?.gone ?? []).map(nameOf)
  const cell = ({ gone = [] }: Figures, phase: string) => {
    const row = gone.find((other) => nameOf(other) === phase)
    if (!row) return '–'
    const { missed, times, p50, p99, chunks } = row
    const never = missed > 0 ? `never for ${missed} of ${times}; ` : ''
    return `${never}${milliseconds(p50)} / ${milliseconds(p99)}${chunks > 0 ? `, ${chunks} chunks` : ''}`
  }
  if (measured.length === 0) return []
  return [
    '## Clients that leave',
    '',
    'Milliseconds until the upstream is stopped, at the median and at the 99th percentile, and the most chunks that an ' +
      'upstream produced for nobody.',
    '',
    ...table(
      ['', ...measured.map(({ name }) => name)],
      phases.map((phase) => [phase, ...measured.map((figures) => cell(figures, phase))]),
    ),
  ]
}

function nameOf({ phase, manner }: GoneRow): string {
  return `${phase}, client ${manner}`
}

function outageTable(all: readonly Figures[]): string[] {
  const rows = all.flatMap(({ name, outages = [] }) =>
    outages.map((row) => [
      `${name}, ${row.name}`,
      String(row.noticed),
      row.first.toFixed(2),
      row.later.toFixed(3),
      milliseconds(row.laterMs),
      row.back === undefined ? 'never' : row.back.toFixed(1),
    ]),
  )
  if (rows.length === 0) return []
  return [
    '## A first deployment that is down for good',
    '',
    ...table(['', 'noticed', 'attempts per request, first tenth', 'then', 'ms, then', 'asked again after s'], rows),
  ]
}
