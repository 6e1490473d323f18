import { invalid } from '../wire/body.ts'
import { integer, line, missing, oneOf, unknownParameter } from './fields.ts'

/** The parameters of a query. Every one must be known, and those of one value given once. Methods throw a 400. */
export interface Query {
  text(name: string): string | undefined
  /** The same, which must not be empty. */
  word(name: string): string | undefined
  integer(name: string, least: number, most: number): number | undefined
  oneOf<const T extends string>(name: string, ...all: readonly T[]): T | undefined
  flag(name: string): boolean | undefined
  /** As `name`, `name[]` or `name[0]`, as often as it likes; each a text of 512 characters at most. */
  list(name: string): readonly string[]
}

const mostEntries = 100
const longest = 512

export function readQuery(given: URLSearchParams, known: readonly string[]): Query {
  const values = new Map<string, string[]>()
  for (const [written, value] of given) {
    const name = written.replace(/\[\d*\]$/, '')
    if (!known.includes(name)) throw unknownParameter(name)
    if (value.length > longest || value.includes('\0')) throw invalid(`Invalid '${name}'.`, name, 'invalid_value')
    values.set(name, [...(values.get(name) ?? []), value])
    if ((values.get(name)?.length ?? 0) > mostEntries)
      throw invalid(`Invalid '${name}': given more than ${mostEntries} times.`, name, 'array_above_max_length')
  }

  function text(name: string): string | undefined {
    const [value, another] = values.get(name) ?? []
    if (another !== undefined)
      throw invalid(`Duplicate parameter: '${name}' is given more than once.`, name, 'duplicate_parameter')
    return value
  }

  return {
    text,
    word(name) {
      const value = text(name)
      return value === undefined ? undefined : line(longest)(value, name)
    },
    integer(name, least, most) {
      const value = text(name)
      // As JSON would say it: what is no number is told as what it is.
      return value === undefined
        ? undefined
        : integer(least, most)(/^-?\d{1,15}$/.test(value) ? Number(value) : value, name)
    },
    oneOf(name, ...all) {
      const value = text(name)
      return value === undefined ? undefined : oneOf(...all)(value, name)
    },
    flag(name) {
      const value = this.oneOf(name, 'true', 'false')
      return value === undefined ? undefined : value === 'true'
    },
    list: (name) => values.get(name) ?? [],
  }
}

/** What must be there. */
export function needed<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw missing(name)
  return value
}
