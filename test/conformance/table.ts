import type { Cell } from './cells.ts'
import { routes as paths } from './routes.ts'

/** What `conformance.json` holds. */
export interface Report {
  /** Of OpenAI's API, by which every answer and chunk was checked; null where it was not at hand. */
  readonly specification: string | null
  /** What is asked: the columns. */
  readonly kinds: readonly string[]
  /** A cell for each kind, by route and target. */
  readonly routes: Rows
  /** What is asked of the other APIs: the columns of their table. */
  readonly dialectKinds: readonly string[]
  /** A cell for each of these kinds, by dialect, route and target. */
  readonly dialects: Readonly<Record<string, Rows>>
  /** The tests of Open Responses: a cell for each server, or why a test is left out. */
  readonly openResponses: Readonly<Record<string, string | Readonly<Record<string, string>>>>
  /** The MUSTs of published suites, by their names. */
  readonly suites: Readonly<Record<string, Suite>>
}

/** Cells by route and target. */
export type Rows = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>

export interface Suite {
  readonly passed: number
  readonly total: number
  readonly failed: readonly string[]
}

/** A cell as the report keeps it. */
export function wordOf(cell: Cell): string {
  switch (cell.word) {
    case 'works':
      return cell.bare ? 'works, bare' : 'works'
    case 'refused':
      return `refused: ${cell.param}`
    case 'FAILS':
      return `FAILS: ${cell.why}`
    default:
      return cell.word
  }
}

/** The report as a file, a row a line. */
export function textOf(report: Report): string {
  const { specification, kinds, routes, dialectKinds, dialects, openResponses, suites } = report
  const apis = Object.entries(dialects).map(
    ([name, its]) => `${quoted(name)}: {\n    ${rowsOf(its).join(',\n    ')}\n  }`,
  )
  const acceptance = Object.entries(openResponses).map(([id, row]) => `${quoted(id)}: ${quoted(row)}`)
  return [
    '{',
    `  "specification": ${quoted(specification)},`,
    `  "kinds": ${quoted(kinds)},`,
    `  "routes": {\n    ${rowsOf(routes).join(',\n    ')}\n  },`,
    `  "dialectKinds": ${quoted(dialectKinds)},`,
    `  "dialects": {\n  ${apis.join(',\n  ')}\n  },`,
    `  "openResponses": {\n    ${acceptance.join(',\n    ')}\n  },`,
    `  "suites": ${quoted(suites)}`,
    '}\n',
  ].join('\n')
}

function rowsOf(rows: Rows): readonly string[] {
  return Object.entries(rows).map(([route, targets]) => {
    const lines = Object.entries(targets).map(([target, cells]) => `${quoted(target)}: ${quoted(cells)}`)
    return `${quoted(route)}: {\n      ${lines.join(',\n      ')}\n    }`
  })
}

const quoted = (value: unknown) => JSON.stringify(value)

const marks: Readonly<Record<string, string>> = {
  works: '✓',
  'works, bare': '(✓)',
  'not served': '404',
  none: '–',
  untested: 'untested',
}

/** The table in Markdown, for docs/conformance.md and the terminal. Targets that do the same share a row. */
export function tableOf(report: Report): string {
  const { specification, kinds, routes, openResponses, suites } = report
  const said = Object.entries(suites).map(([name, { passed, total }]) => `${name} ${passed} of ${total}`)
  return [
    ...headOf(kinds),
    ...linesOf(routes, (word) => markOf(word)),
    '',
    ...dialectTable(report),
    '',
    ...acceptanceTable(openResponses),
    '',
    `Checked by ${specification ?? 'no specification'}. MUSTs of published suites that the gateway passes with the ` +
      `embedded model: ${said.join(', ')}.`,
  ].join('\n')
}

function headOf(kinds: readonly string[]): readonly string[] {
  return [`| route | provider | ${kinds.join(' | ')} |`, `|---|---|${kinds.map(() => '---|').join('')}`]
}

/** A line for all targets of a route that do the same. */
function linesOf(rows: Rows, mark: (word: string) => string): readonly string[] {
  return Object.entries(rows).flatMap(([route, targets]) => {
    const alike = new Map<string, string[]>()
    for (const [target, words] of Object.entries(targets)) {
      const cells = words.map(mark).join(' | ')
      alike.set(cells, [...(alike.get(cells) ?? []), target])
    }
    return [...alike].map(([cells, names]) => `| \`${paths[route]?.path ?? route}\` | ${names.join('; ')} | ${cells} |`)
  })
}

/** The other APIs, and under them the words in which they refuse, by number. */
function dialectTable({ dialectKinds, dialects }: Report): readonly string[] {
  const said: string[] = []
  const numbered = (word: string) => {
    const words = /^refused: (.*)$/s.exec(word)?.[1]
    if (words === undefined) return markOf(word)
    if (!said.includes(words)) said.push(words)
    return `400 (${said.indexOf(words) + 1})`
  }
  const lines = Object.values(dialects).flatMap((rows) => linesOf(rows, numbered))
  const refusals = said.map((words, at) => `${at + 1}. ${words}`)
  return [
    ...headOf(dialectKinds),
    ...lines,
    ...(refusals.length > 0 ? ['', 'Refused with these words:', '', ...refusals] : []),
  ]
}

/** The acceptance suite, the tests that end alike in one row. */
function acceptanceTable(tests: Report['openResponses']): string[] {
  const [first = {}] = Object.values(tests).filter((row) => typeof row !== 'string')
  const targets = Object.keys(first)
  const alike = new Map<string, string[]>()
  for (const [id, row] of Object.entries(tests)) {
    const cells =
      typeof row === 'string' ? targets.map((_, at) => (at === 0 ? row : '')) : Object.values(row).map(markOf)
    const line = cells.join(' | ')
    alike.set(line, [...(alike.get(line) ?? []), `\`${id}\``])
  }
  return [
    `| test of Open Responses | ${targets.join(' | ')} |`,
    `|---|${targets.map(() => '---|').join('')}`,
    ...[...alike].map(([cells, ids]) => `| ${ids.join(', ')} | ${cells} |`),
  ]
}

function markOf(word: string): string {
  const param = /^refused: (.*)$/.exec(word)?.[1]
  return param === undefined ? (marks[word] ?? '✗') : `400 \`${param}\``
}

const begin = '<!-- made by: npm run conformance -->'
const end = '<!-- end -->'

/** A text with the table between its markers replaced. Throws if it has no such place. */
export function withTable(text: string, table: string): string {
  const from = text.indexOf(begin)
  const to = text.indexOf(end, from)
  if (from < 0 || to < 0) throw new Error(`no place for the table: ${begin} … ${end}`)
  return `${text.slice(0, from + begin.length)}\n\n${table}\n\n${text.slice(to)}`
}
