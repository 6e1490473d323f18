import { readFile } from 'node:fs/promises'
import type { Statements } from '../../../src/state/database.ts'
import type { Reading } from '../../../src/state/meters.ts'
import { type BudgetSettings, keyId, keyLimit, keySubject, project } from './meters.ts'

/** What a meter says in the end, beside what was billed and what the rows of requests come to. */
export interface Line extends Reading {
  readonly subject: string
  readonly limit: number
  readonly billed: number
  readonly ledger: number
}

export interface Proof {
  readonly requests: number
  readonly seconds: number
  readonly lines: readonly Line[]
  /** What is wrong. Empty: nothing. */
  readonly problems: readonly string[]
}

export interface Books {
  readonly settings: BudgetSettings
  /** Where each line says what was billed for which key. */
  readonly log: string
  readonly ledger: Statements
  readonly read: (subject: string) => Promise<Reading>
  /** Whether anybody ended before he had told all. */
  readonly died: boolean
  /** Whether anything else happened on the way. */
  readonly calm: boolean
}

/** Compares what was billed with what is booked. */
export async function audit(books: Books): Promise<Omit<Proof, 'seconds'>> {
  const { settings, log, ledger } = books
  const bills = (await readFile(log, 'utf8')).trimEnd().split('\n')
  const billed = new Map<string, number>()
  for (const bill of bills) {
    const [key, cost] = bill.split(' ').map(Number) as [number, number]
    add(billed, keySubject(key), cost)
  }
  const rows = await sumsOf(ledger, 'requests')
  const hours = await sumsOf(ledger, 'usage')
  const lines: Line[] = []
  for (const [subject, limit] of subjectsOf(settings)) {
    const of = (sums: ReadonlyMap<string, number>) => sums.get(subject) ?? 0
    lines.push({ subject, limit, billed: of(billed), ...(await books.read(subject)), ledger: of(rows) })
  }
  const differing = lines.filter(({ subject, ledger }) => (hours.get(subject) ?? 0) !== ledger)
  const problems = [
    ...lines.flatMap((line) => problemsOf(books, line)),
    ...differing.map(({ subject }) => `${subject}: the rows of the ledger are not their sums`),
  ]
  return { requests: bills.length, lines, problems }
}

/** All meters that there are, with their limits. */
export function subjectsOf(settings: BudgetSettings): [subject: string, limit: number][] {
  const keys = Array.from({ length: settings.keys }, (_, key): [string, number] => [
    keySubject(key),
    keyLimit(settings),
  ])
  return [[project, settings.limit], ...keys]
}

async function sumsOf(ledger: Statements, table: 'requests' | 'usage'): Promise<ReadonlyMap<string, number>> {
  const sums = new Map<string, number>()
  const rows = await ledger.all(`SELECT key_id, SUM(booked) AS booked FROM ${table} GROUP BY key_id`)
  for (const { key_id, booked } of rows)
    add(sums, keySubject(Number(String(key_id).slice(keyId('').length))), Number(booked))
  return sums
}

/** What a key has spent, its project has, too. */
function add(sums: Map<string, number>, key: string, amount: number): void {
  for (const subject of [project, key]) sums.set(subject, (sums.get(subject) ?? 0) + amount)
}

function problemsOf({ settings, died, calm }: Books, line: Line): string[] {
  const { subject, limit, billed, spent, held, lost, ledger } = line
  const problems = {
    'more was billed than the limit': billed > limit,
    'more is booked than the limit': spent + held > limit,
    'less is booked than was billed': spent < billed,
    'more is booked than was billed or lost': spent > billed + lost,
    'something is still held': held !== 0,
    'something is lost, although nobody died': !died && lost !== 0,
    'the ledger has other sums than the meter, although nobody died': !died && ledger !== spent,
    'the ledger has what was not billed': ledger > billed,
    'a request would still have fitted': calm && subject === project && limit - spent >= settings.most,
  }
  return Object.entries(problems).flatMap(([problem, is]) => (is ? [`${subject}: ${problem}`] : []))
}
