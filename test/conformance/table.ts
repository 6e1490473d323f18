import type { Cell } from './cells.ts'
import { routes as paths } from './routes.ts'

/** What `conformance.json` holds. */
export interface Report {
  /** Of OpenAI's API, by which every answer and chunk was checked; null where it was not at hand. */
  readonly specification: string | null
  /** What is asked: the columns. */
  readonly kinds: readonly string[]
  /** A cell for each kind, by route and target. */
  readonly routes: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>
  /** The tests of Open Responses: a cell for each server, or why a test is left out. */
  readonly openResponses: Readonly<Record<string, string | Readonly<Record<string, string>>>>
  /** The MUSTs of published suites, by their names. */
  readonly suites: Readonly<Record<string, Suite>>
}

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
export function textOf({ specification, kinds, routes, openResponses, suites }: Report): string {
  const tables = Object.entries(routes).map(([route, targets]) => {
    const rows = Object.entries(targets).map(([target, cells]) => `${quoted(target)}: ${quoted(cells)}`)
    return `${quoted(route)}: {\n      ${rows.join(',\n      ')}\n    }`
  })
  const acceptance = Object.entries(openResponses).map(([id, row]) => `${quoted(id)}: ${quoted(row)}`)
  return [
    '{',
    `  "specification": ${quoted(specification)},`,
    `  "kinds": ${quoted(kinds)},`,
    `  "routes": {\n    ${tables.join(',\n    ')}\n  },`,
    `  "openResponses": {\n    ${acceptance.join(',\n    ')}\n  },`,
    `  "suites": ${quoted(suites)}`,
    '}\n',
  ].join('\n')
}

const quoted = (value: unknown) => JSON.stringify(value)

const marks: Readonly<Record<string, string>> = {
  works: '✓',
  'works, bare': '(✓)',
  'not served': '404',
  none: '–',
  untested: 'untested',
}

/** The table in Markdown, for the README and the terminal. Targets that do the same share a row. */
export function tableOf({ specification, kinds, routes, openResponses, suites }: Report): string {
  const rows = Object.entries(routes).flatMap(([route, targets]) => {
    const alike = new Map<string, string[]>()
    for (const [target, words] of Object.entries(targets)) {
      const cells = words.map(markOf).join(' | ')
      alike.set(cells, [...(alike.get(cells) ?? []), target])
    }
    return [...alike].map(([cells, names]) => `| \`${paths[route]?.path ?? route}\` | ${names.join('; ')} | ${cells} |`)
  })
  const said = Object.entries(suites).map(([name, { passed, total }]) => `${name} ${passed} of ${total}`)
  return [
    `| route | provider | ${kinds.join(' | ')} |`,
    `|---|---|${kinds.map(() => '---|').join('')}`,
    ...rows,
    '',
    ...acceptanceTable(openResponses),
    '',
    `Checked by ${specification ?? 'no specification'}. MUSTs of published suites that the gateway passes with the ` +
      `embedded model: ${said.join(', ')}.`,
  ].join('\n')
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
