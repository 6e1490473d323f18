import type { Api } from './clients.ts'
import { type Outcome, type Task, tasks, wrong } from './expected.ts'

export interface Row {
  readonly title: string
  readonly api: Api
  readonly outcomes: readonly Outcome[]
  /** Why it stopped. */
  readonly obstacle?: string
  /** Why it was not run at all, which is no failure. */
  readonly absent?: string
}

/** Longer ones hold whole pages. */
const longestNote = 600

/** Prints who could do what, with a note on everything else. Returns whether all went well. */
export function printTable(rows: readonly Row[]): boolean {
  const cells = rows.map((row) => ({ row, cells: tasks.map((task) => cellOf(row, task)) }))
  const heads = ['client', ...tasks]
  const lines = cells.map(({ row, cells }) => [row.title, ...cells.map(({ word }) => word)])
  const widths = heads.map((head, at) => Math.max(...[head, ...lines.map((line) => line[at] ?? '')].map(lengthOf)))
  for (const line of [heads, ...lines]) {
    console.log(
      line
        .map((text, at) => text.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    )
  }
  const notes = cells.flatMap(({ row, cells }) =>
    cells.flatMap(({ note }) => (note ? [{ note, title: row.title }] : [])),
  )
  for (const [note, those] of Map.groupBy(notes, ({ note }) => note)) {
    const titles = new Set(those.map(({ title }) => title))
    console.log(`\n${[...titles].join(' | ')}: ${note.slice(0, longestNote)}`)
  }
  return rows.length > 0 && cells.every(({ cells }) => cells.every(({ word }) => word !== 'FAILS'))
}

interface Cell {
  readonly word: 'works' | 'unable' | 'absent' | 'FAILS'
  readonly note?: string
}

function cellOf({ api, outcomes, obstacle, absent }: Row, task: Task): Cell {
  if (absent) return { word: 'absent', note: absent }
  const outcome = outcomes.find((one) => one.task === task)
  if (!outcome) return { word: 'FAILS', note: `did not get through: ${obstacle ?? 'it stopped'}` }
  if ('cannot' in outcome) return { word: 'unable', note: outcome.cannot }
  const why = wrong(outcome, api)
  return why === undefined ? { word: 'works' } : { word: 'FAILS', note: `fails at ${task}: ${why}` }
}

const lengthOf = ({ length }: string) => length
