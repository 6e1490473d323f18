import type { Cell, Kind } from './cells.ts'
import { kinds } from './cells.ts'

/** What `conformance.json` holds. */
export interface Report {
  /** Of OpenAI's API, by which every answer and chunk was checked; null where it was not at hand. */
  readonly specification: string | null
  /** By route and target. */
  readonly routes: Readonly<Record<string, Readonly<Record<string, Row>>>>
  /** The MUSTs of published suites, by their names. */
  readonly suites: Readonly<Record<string, Suite>>
}

export type Row = Readonly<Record<Kind, Cell>>

export interface Suite {
  readonly passed: number
  readonly total: number
  readonly failed: readonly string[]
}

export const markers = { begin: '<!-- made by: npm run conformance -->', end: '<!-- end -->' } as const

/** The table in Markdown, for the README and the terminal. Targets that do the same share a row. */
export function tableOf({ routes, suites, specification }: Report): string {
  const rows = Object.entries(routes).flatMap(([route, targets]) => {
    const alike = new Map<string, string[]>()
    for (const [target, row] of Object.entries(targets)) {
      const cells = kinds.map((kind) => textOf(row[kind])).join(' | ')
      alike.set(cells, [...(alike.get(cells) ?? []), target])
    }
    return [...alike].map(([cells, names]) => `| ${route} | ${names.join('; ')} | ${cells} |`)
  })
  const said = Object.entries(suites).map(([name, { passed, total }]) => `${name} ${passed} of ${total}`)
  return [
    `| route | provider | ${kinds.join(' | ')} |`,
    `|---|---|${kinds.map(() => '---|').join('')}`,
    ...rows,
    '',
    `Every answer and chunk was checked by ${specification ?? 'no specification'}. ` +
      `MUSTs of published suites that the embedded model passes: ${said.join(', ')}.`,
  ].join('\n')
}

function textOf(cell: Cell): string {
  if (cell.word === 'refused') return `400 \`${cell.param}\``
  if ('bare' in cell) return '(✓)'
  return { works: '✓', 'not served': '404', untested: 'untested', none: '–', FAILS: '✗' }[cell.word]
}

/** A text with the table between its markers replaced. Throws if it has no such place. */
export function withTable(text: string, table: string): string {
  const begin = text.indexOf(markers.begin)
  const end = text.indexOf(markers.end, begin)
  if (begin < 0 || end < 0) throw new Error(`no place for the table: ${markers.begin} … ${markers.end}`)
  return `${text.slice(0, begin + markers.begin.length)}\n\n${table}\n\n${text.slice(end)}`
}
