import { printable } from '../log.ts'
import type { Imported } from './imported.ts'
import type { Note, Outcome } from './notes.ts'
import { placeOf, type Source } from './source.ts'

const headings: readonly (readonly [Outcome, string])[] = [
  ['lost', 'not carried'],
  ['changed', 'carried with a change'],
  ['carried', 'carried'],
]

/** What has become of each part of the source, in its order, for people: it goes to the standard error. */
export function reportOf({ notes, variables }: Imported, source: Source, problems: readonly string[]): string {
  const sections = headings.flatMap(([outcome, heading]) => {
    const all = notes.filter((note) => note.outcome === outcome)
    return all.length === 0 ? [] : ['', `${heading}:`, ...linesOf(all, source)]
  })
  const told =
    problems.length > 0
      ? ['', "the result can't be used as it is:", ...problems.map((line) => `  ${printable(line)}`)]
      : []
  const named = variables.size > 0 ? ['', `set in the environment: ${[...variables].map(printable).join(', ')}`] : []
  return `${[summaryOf(notes), ...told, ...sections, ...named].join('\n')}\n`
}

function summaryOf(notes: readonly Note[]): string {
  const count = (wanted: Outcome) => notes.filter(({ outcome }) => outcome === wanted).length
  return `${count('carried')} carried, ${count('changed')} carried with a change, ${count('lost')} not carried`
}

function linesOf(notes: readonly Note[], source: Source): string[] {
  const placed = notes.map((note) => ({ ...note, line: source.lineOf(note.from) ?? 0 }))
  placed.sort((one, other) => one.line - other.line)
  const lines = placed.map(({ from, why, line }) => {
    const where = line > 0 ? `line ${line}: ` : ''
    return `  ${where}${placeOf(from)}${why === undefined ? '' : `: ${printable(why)}`}`
  })
  return [...new Set(lines)]
}
