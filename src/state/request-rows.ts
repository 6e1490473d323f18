import type { Row, Statement, Value } from './database.ts'
import type { RequestRow } from './ledger.ts'

/** The column of each field. */
const columns: Readonly<Record<keyof RequestRow, string>> = {
  id: 'id',
  at: 'at',
  key: 'key_id',
  keyName: 'key_name',
  project: 'project_id',
  user: 'user_id',
  endUser: 'end_user',
  operation: 'operation',
  model: 'model',
  deployment: 'deployment',
  status: 'status',
  outcome: 'outcome',
  stream: 'stream',
  input: 'input',
  cached: 'cached',
  output: 'output',
  reasoning: 'reasoning',
  cost: 'cost',
  booked: 'booked',
  saved: 'saved',
  usageSource: 'usage_source',
  priceSource: 'price_source',
  ms: 'ms',
  firstMs: 'first_ms',
  attempts: 'attempts',
  cache: 'cache',
  metadata: 'metadata',
  unchecked: 'unchecked',
}
export const fieldNames = Object.keys(columns) as (keyof RequestRow)[]

const flags: ReadonlySet<keyof RequestRow> = new Set(['stream', 'unchecked'])

export const requestColumns = Object.values(columns).join(', ')
/** Rows that one statement inserts: D1 takes a hundred values in one. */
const mostTogether = 3
const insertSql = Array.from({ length: mostTogether }, (_, more) => {
  const marks = (row: number) => fieldNames.map((_, at) => `?${row * fieldNames.length + at + 1}`).join(', ')
  const rows = Array.from({ length: more + 1 }, (_, row) => `(${marks(row)})`)
  return `INSERT INTO requests (${requestColumns}) VALUES ${rows.join(', ')}`
})

/** Characters of names and of what clients call their users; a longer one is cut. */
const longestText = 512
/** Characters of JSON; a longer one is left out. */
const longestJson = 16 * 1024

/** The row as every store takes it: numbers that are whole, texts that are texts to all of them, and not too long. */
export function storable(row: RequestRow): RequestRow {
  // Written out: a copy that is changed after it is made costs several times as much.
  return {
    id: row.id,
    at: whole(row.at),
    key: row.key,
    keyName: text(row.keyName),
    project: text(row.project),
    user: text(row.user),
    endUser: text(row.endUser),
    operation: row.operation,
    model: text(row.model),
    deployment: text(row.deployment),
    status: row.status,
    outcome: row.outcome,
    stream: row.stream,
    input: whole(row.input),
    cached: whole(row.cached),
    output: whole(row.output),
    reasoning: whole(row.reasoning),
    cost: row.cost === null ? null : whole(row.cost),
    booked: whole(row.booked),
    // Rows that an older version has queued don't have it.
    saved: whole(row.saved ?? 0),
    usageSource: row.usageSource,
    priceSource: row.priceSource,
    ms: whole(row.ms),
    firstMs: row.firstMs === null ? null : whole(row.firstMs),
    attempts: json(row.attempts) ?? '[]',
    cache: row.cache,
    metadata: json(row.metadata),
    unchecked: row.unchecked,
  }
}

/** What inserts rows: some at a time, since half of what a statement costs is not its values. */
export function insertions(rows: readonly RequestRow[]): Statement[] {
  const statements: Statement[] = []
  for (let first = 0; first < rows.length; first += mostTogether) {
    const end = Math.min(first + mostTogether, rows.length)
    const values = new Array<Value>((end - first) * fieldNames.length)
    for (let at = first; at < end; at++) putValues(values, (at - first) * fieldNames.length, rows[at] as RequestRow)
    statements.push({ sql: insertSql[end - first - 1] as string, intoColumns: true, values })
  }
  return statements
}

function putValues(values: Value[], from: number, row: RequestRow): void {
  for (let at = 0; at < fieldNames.length; at++) {
    const value = row[fieldNames[at] as keyof RequestRow]
    // A row that waited in a queue may be of an older version.
    values[from + at] = typeof value === 'boolean' ? Number(value) : value === undefined ? 0 : value
  }
}

/** A row of `requests`, as it was written. */
export function requestOf(row: Row): RequestRow {
  const fields = fieldNames.map((field): [string, Value | boolean] => {
    const value = row[columns[field]] ?? null
    return [field, flags.has(field) ? value === 1 : value]
  })
  return Object.fromEntries(fields) as unknown as RequestRow
}

function whole(value: number): number {
  const rounded = Math.round(value)
  return Number.isSafeInteger(rounded) ? rounded : 0
}

function text(value: string | null): string | null {
  return value === null ? null : clean(value.length > longestText ? value.slice(0, longestText) : value)
}

function json(value: string | null): string | null {
  return value === null || value.length > longestJson ? null : clean(value)
}

/** Without what UTF-8 can't say, and without the character at which some stores end a text. */
function clean(value: string): string {
  const plain = value.includes('\0') ? value.replaceAll('\0', '\ufffd') : value
  return plain.isWellFormed() ? plain : plain.toWellFormed()
}
