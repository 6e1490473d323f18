import { StoreError, type Value } from '../state/database.ts'

const types: Readonly<Record<string, string>> = {
  INTEGER: 'BIGINT',
  REAL: 'DOUBLE PRECISION',
  BLOB: 'BYTEA',
  // Ordered by bytes, as everywhere else: ids are looked up by their order.
  TEXT: 'TEXT COLLATE "C"',
}

/** A statement in the words of PostgreSQL: other names of types, and other marks for values. */
export function postgresSql(sql: string): string {
  const marked = sql.replace(/\?(\d+)/g, '$$$1')
  if (!/^\s*(CREATE|ALTER)\s+TABLE\b/i.test(marked)) return marked
  return marked
    .replace(/\b(INTEGER|REAL|BLOB|TEXT)\b/g, (type) => types[type] as string)
    .replace(/\)\s*STRICT(\s*,\s*WITHOUT\s+ROWID)?\s*$/, ')')
}

/** PostgreSQL keeps no text with a zero byte. */
export function postgresValue(value: Value): Value {
  return typeof value === 'string' && value.includes('\0') ? value.replaceAll('\0', '\ufffd') : value
}

/** Whole numbers come as texts, since they may be larger than JavaScript can say. Throws a `StoreError` if one is. */
export function exactNumber(text: string): number {
  const number = Number(text)
  if (Number.isSafeInteger(number) || /[.NI]/.test(text)) return number
  throw new StoreError(`the database has a number that is too large to be exact: ${text}`)
}

const asBytes = (text: string) => new Uint8Array(Buffer.from(text.slice(2), 'hex'))
const asText = (text: string) => text

/** What its types are in JavaScript: bytes, whole numbers, sums of them, and texts. */
export function parserOf(type: number): (text: string) => Value {
  if (type === 17) return asBytes
  return type === 20 || type === 21 || type === 23 || type === 1700 ? exactNumber : asText
}
