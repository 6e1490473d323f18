import { describe, invalid } from '../wire/body.ts'
import { type GatewayError, shorten } from '../wire/errors.ts'
import { deeperThan, isObject, type JsonObject } from '../wire/json.ts'

/** Reads the value of a field. Throws a 400 in OpenAI's words. */
export type Reader<T> = (value: unknown, name: string) => T

export type Readers = Readonly<Record<string, Reader<unknown>>>

/** What the readers make of the fields that are there. */
export type Read<Of extends Readers> = { readonly [Name in keyof Of]?: ReturnType<Of[Name]> }

/** Reads a body in which every field must be known. Throws a 400. */
export function readFields<Of extends Readers>(body: JsonObject, readers: Of): Read<Of> {
  const names = Object.keys(body)
  const unknown = names.find((name) => !Object.hasOwn(readers, name))
  if (unknown !== undefined) throw unknownParameter(unknown)
  return Object.fromEntries(names.map((name) => [name, readers[name]?.(body[name], name)])) as Read<Of>
}

export function unknownParameter(name: string): GatewayError {
  const shown = repeatable(name)
  return invalid(`Unknown parameter: '${shown}'.`, shown, 'unknown_parameter')
}

/** A text of the client's for a message: a little of it, and no secret. */
export function repeatable(text: string): string {
  return shorten(text, 100)
}

export function missing(name: string): GatewayError {
  return invalid(`Missing required parameter: '${name}'.`, name, 'missing_required_parameter')
}

function wrongType(name: string, expected: string, value: unknown): GatewayError {
  const message = `Invalid type for '${name}': expected ${expected}, but got ${describe(value)} instead.`
  return invalid(message, name, 'invalid_type')
}

export const orNull =
  <T>(read: Reader<T>): Reader<T | null> =>
  (value, name) =>
    value === null ? null : read(value, name)

export const flag: Reader<boolean> = (value, name) => {
  if (typeof value !== 'boolean') throw wrongType(name, 'a boolean', value)
  return value
}

/** A text of one line that is not empty, of `most` characters at most. */
export const line =
  (most: number): Reader<string> =>
  (value, name) => {
    if (typeof value !== 'string') throw wrongType(name, 'a string', value)
    if (value.trim() === '') {
      const message = `Invalid '${name}': empty string. Expected a string with minimum length 1, but got an empty string instead.`
      throw invalid(message, name, 'empty_string')
    }
    if (value.length > most) {
      const message = `Invalid '${name}': string too long. Expected a string with maximum length ${most}, but got a string with length ${value.length} instead.`
      throw invalid(message, name, 'string_above_max_length')
    }
    if (/[\p{Cc}\u2028\u2029]/u.test(value) || !value.isWellFormed())
      throw invalid(`Invalid '${name}': it must not contain control characters.`, name, 'invalid_value')
    return value
  }

export const integer =
  (least: number, most: number): Reader<number> =>
  (value, name) => {
    if (typeof value !== 'number' || !Number.isInteger(value)) throw wrongType(name, 'an integer', value)
    if (value < least || value > most) {
      const [side, code, sign, bound] =
        value < least ? ['below minimum', 'below_min', '>=', least] : ['above maximum', 'above_max', '<=', most]
      const message = `Invalid '${name}': integer ${side} value. Expected a value ${sign} ${bound}, but got ${value} instead.`
      throw invalid(message, name, `integer_${code}_value`)
    }
    return value
  }

export const number: Reader<number> = (value, name) => {
  if (typeof value !== 'number') throw wrongType(name, 'a number', value)
  return value
}

export const oneOf =
  <const T extends string>(...all: readonly T[]): Reader<T> =>
  (value, name) => {
    const found = all.find((one) => one === value)
    if (found !== undefined) return found
    if (typeof value !== 'string') throw wrongType(name, `one of ${listed(all)}`, value)
    const message = `Invalid value: '${repeatable(value)}'. Supported values are: ${listed(all)}.`
    throw invalid(message, name, 'invalid_value')
  }

const listed = (all: readonly string[]) => all.map((one) => `'${one}'`).join(', ')

/** A list that is not empty, of `most` entries at most. */
export const listOf =
  <T>(read: Reader<T>, most: number): Reader<readonly T[]> =>
  (value, name) => {
    if (!Array.isArray(value)) throw wrongType(name, 'an array', value)
    if (value.length === 0) {
      const message = `Invalid '${name}': empty array. Expected an array with minimum length 1, but got an empty array instead.`
      throw invalid(message, name, 'empty_array')
    }
    if (value.length > most) {
      const message = `Invalid '${name}': array too long. Expected an array with maximum length ${most}, but got an array with length ${value.length} instead.`
      throw invalid(message, name, 'array_above_max_length')
    }
    return value.map((entry, at) => read(entry, `${name}[${at}]`))
  }

/** An object whose fields have names that the client chose. */
export const recordOf =
  <T>(read: Reader<T>, most: number): Reader<Readonly<Record<string, T>>> =>
  (value, name) => {
    if (!isObject(value)) throw wrongType(name, 'an object', value)
    const entries = Object.entries(value)
    if (entries.length > most)
      throw invalid(`Invalid '${name}': too many fields, more than ${most}.`, name, 'invalid_value')
    return Object.fromEntries(
      entries.map(([key, entry]) => [
        line(200)(key, `${name}.${repeatable(key)}`),
        read(entry, `${name}.${repeatable(key)}`),
      ]),
    )
  }

/** Any object, of `most` characters of JSON at most. */
export const objectUpTo =
  (most: number): Reader<JsonObject> =>
  (value, name) => {
    if (!isObject(value)) throw wrongType(name, 'an object', value)
    const text = JSON.stringify(value)
    if (text.length > most || deeperThan(value, 8)) {
      const message = `Invalid '${name}': too large. Expected ${most} characters of JSON and 8 levels at most.`
      throw invalid(message, name, 'invalid_value')
    }
    return value
  }

/** A time in ISO 8601 with its offset from UTC, as milliseconds since 1970. */
export const time: Reader<number> = (value, name) => {
  if (typeof value !== 'string') throw wrongType(name, 'a string', value)
  const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/.test(value)
  const date = value.slice(0, 10)
  const day = Date.parse(`${date}T00:00Z`)
  // A day too many is the next month's first to `Date`.
  const isDay = isTime && !Number.isNaN(day) && new Date(day).toISOString().startsWith(date)
  const ms = isDay ? Date.parse(value) : Number.NaN
  if (!Number.isNaN(ms)) return ms
  const message = `Invalid '${name}': expected a time in ISO 8601 with its offset from UTC, such as 2030-12-31T23:59:59Z.`
  throw invalid(message, name, 'invalid_value')
}

/** Seconds as a number, or a text such as `90s`, `15m`, `24h`, `7d`; as milliseconds, of `most` at most. */
export const duration =
  (most: number): Reader<number> =>
  (value, name) => {
    const [, digits, unit] = /^(\d{1,9})([smhd])$/.exec(typeof value === 'number' ? `${value}s` : String(value)) ?? []
    const ms = Number(digits) * (unitMs[unit ?? ''] ?? Number.NaN)
    if (ms <= most) return ms
    const message = `Invalid '${name}': expected a duration such as '15m', '24h' or '7d', of ${most / unitMs.d} days at most.`
    throw invalid(message, name, 'invalid_value')
  }

const unitMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as Readonly<Record<string, number>> & { d: number }
