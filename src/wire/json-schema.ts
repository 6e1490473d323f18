import { equal, isObject, type JsonObject, objectAt } from './json.ts'

/** A schema that can't be checked here: a keyword that is not known, or too much work. */
export class SchemaError extends Error {
  override readonly name = 'SchemaError'
}

/** Subschemas that are applied to one value and its parts, in all. Callers write the schemas. */
const mostSteps = 100_000
const mostDepth = 200

/** Keywords that say nothing about whether a value fits. */
const annotations =
  /^(\$schema|\$id|\$anchor|\$comment|\$defs|definitions|title|description|default|examples?|format|deprecated|readOnly|writeOnly|nullable|strict|content(Encoding|MediaType)|x-.*)$/

/**
 * Why a value doesn't fit a JSON schema, with its place, such as `$.items[2] is not of type string`; undefined if it fits.
 * Throws a `SchemaError` for what can't be checked in bounded time, such as `pattern`: a regular expression of the
 * caller's own may take for ever.
 */
export function misfit(value: unknown, schema: unknown): string | undefined {
  return new Checker(schema).check(value, schema, '$', 0)
}

/** Why values can't be checked against a schema, whatever they are; undefined if they can be. */
export function uncheckable(schema: unknown, depth = 0): string | undefined {
  if (typeof schema === 'boolean') return undefined
  if (!isObject(schema)) return 'a schema is no object'
  if (depth > mostDepth) return 'it nests too deep'
  const unknown = Object.keys(schema).find((name) => !Object.hasOwn(keywords, name) && !annotations.test(name))
  if (unknown !== undefined) return `the keyword '${unknown}' can't be checked`
  return first(subschemasOf(schema), (one) => uncheckable(one, depth + 1))
}

function subschemasOf(schema: JsonObject): unknown[] {
  const named = ['properties', '$defs', 'definitions'].flatMap((name) => Object.values(objectAt(schema, name) ?? {}))
  const listed = ['anyOf', 'oneOf', 'allOf', 'prefixItems', 'items'].flatMap((name) => listOf(schema[name]))
  const single = ['items', 'additionalProperties', 'not'].map((name) => schema[name])
  return [...named, ...listed, ...single.filter((one) => one !== undefined && !Array.isArray(one))]
}

type Keyword = (checker: Checker, at: Place, given: unknown, schema: JsonObject) => string | undefined

interface Place {
  readonly value: unknown
  readonly path: string
  readonly depth: number
}

class Checker {
  readonly #root: unknown
  #steps = 0

  constructor(root: unknown) {
    this.#root = root
  }

  check(value: unknown, schema: unknown, path: string, depth: number): string | undefined {
    if (schema === true) return undefined
    if (schema === false) return `${path} is not allowed`
    if (!isObject(schema)) throw new SchemaError('a schema is no object')
    if (++this.#steps > mostSteps || depth > mostDepth) throw new SchemaError('it takes too long to check')
    const at = { value, path, depth: depth + 1 }
    for (const [name, given] of Object.entries(schema)) {
      const keyword = Object.hasOwn(keywords, name) ? keywords[name] : undefined
      if (!keyword && !annotations.test(name)) throw new SchemaError(`the keyword '${name}' can't be checked`)
      const problem = keyword?.(this, at, given, schema)
      if (problem !== undefined) return problem
    }
    return undefined
  }

  /** The schema that a reference within the same schema leads to. */
  resolve(reference: unknown): unknown {
    if (reference === '#') return this.#root
    if (typeof reference !== 'string' || !reference.startsWith('#/')) {
      throw new SchemaError(`the reference '${String(reference)}' leads elsewhere`)
    }
    let found: unknown = this.#root
    for (const part of reference.slice(2).split('/')) {
      const key = decoded(part)
      found = Array.isArray(found) ? found[Number(key)] : isObject(found) && Object.hasOwn(found, key) && found[key]
    }
    if (found === undefined || found === false) throw new SchemaError(`the reference '${reference}' leads nowhere`)
    return found
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~')
  } catch {
    return part
  }
}

/** Applies each keyword to values of its own type only, as the specification has it. */
const keywords: Readonly<Record<string, Keyword>> = {
  type: (_, { value, path }, given) =>
    [given].flat().some((type) => isOfType(value, type))
      ? undefined
      : `${path} is not of type ${[given].flat().join(' or ')}`,
  enum: (_, { value, path }, given) =>
    listOf(given).some((one) => equal(one, value)) ? undefined : `${path} is none of ${shown(given)}`,
  const: (_, { value, path }, given) => (equal(given, value) ? undefined : `${path} is not ${shown(given)}`),
  $ref: (checker, { value, path, depth }, given) => checker.check(value, checker.resolve(given), path, depth),
  allOf: (checker, at, given) => first(listOf(given), (one) => checker.check(at.value, one, at.path, at.depth)),
  anyOf: (checker, at, given) => {
    const problems = listOf(given).map((one) => checker.check(at.value, one, at.path, at.depth))
    return problems.includes(undefined) ? undefined : problems[0]
  },
  oneOf(checker, at, given) {
    const problems = listOf(given).map((one) => checker.check(at.value, one, at.path, at.depth))
    const fitting = problems.filter((problem) => problem === undefined).length
    return fitting === 1 ? undefined : fitting === 0 ? problems[0] : `${at.path} fits more than one of the alternatives`
  },
  not: (checker, { value, path, depth }, given) =>
    checker.check(value, given, path, depth) === undefined ? `${path} is not allowed as it is` : undefined,
  required: (_, { value, path }, given) =>
    isObject(value)
      ? first(listOf(given), (name) => (Object.hasOwn(value, String(name)) ? undefined : `${path} lacks '${name}'`))
      : undefined,
  properties: (checker, { value, path, depth }, given) =>
    isObject(value) && isObject(given)
      ? first(Object.entries(given), ([name, schema]) =>
          Object.hasOwn(value, name) ? checker.check(value[name], schema, `${path}.${name}`, depth) : undefined,
        )
      : undefined,
  additionalProperties(checker, { value, path, depth }, given, schema) {
    if (!isObject(value)) return undefined
    const known = objectAt(schema, 'properties') ?? {}
    const others = Object.keys(value).filter((name) => !Object.hasOwn(known, name))
    return first(others, (name) =>
      given === false
        ? `${path} has '${name}', which is not allowed`
        : checker.check(value[name], given, `${path}.${name}`, depth),
    )
  },
  prefixItems: (checker, { value, path, depth }, given) =>
    Array.isArray(value)
      ? first(listOf(given), (one, at) =>
          at < value.length ? checker.check(value[at], one, `${path}[${at}]`, depth) : undefined,
        )
      : undefined,
  items(checker, { value, path, depth }, given, { prefixItems }) {
    if (!Array.isArray(value)) return undefined
    const from = Array.isArray(prefixItems) ? prefixItems.length : 0
    const schemaAt = (at: number) => (Array.isArray(given) ? (given[at] ?? true) : given)
    return first(value.slice(from), (one, at) => checker.check(one, schemaAt(at), `${path}[${from + at}]`, depth))
  },
  minItems: bound('items', (value) => (Array.isArray(value) ? value.length : undefined), 'least'),
  maxItems: bound('items', (value) => (Array.isArray(value) ? value.length : undefined), 'most'),
  minLength: bound('characters', lengthOf, 'least'),
  maxLength: bound('characters', lengthOf, 'most'),
  minProperties: bound('properties', (value) => (isObject(value) ? Object.keys(value).length : undefined), 'least'),
  maxProperties: bound('properties', (value) => (isObject(value) ? Object.keys(value).length : undefined), 'most'),
  minimum: compared((value, limit) => value >= limit, 'at least'),
  maximum: compared((value, limit) => value <= limit, 'at most'),
  exclusiveMinimum: compared((value, limit) => value > limit, 'more than'),
  exclusiveMaximum: compared((value, limit) => value < limit, 'less than'),
  multipleOf: compared((value, step) => Math.abs(value / step - Math.round(value / step)) < 1e-9, 'a multiple of'),
  uniqueItems: (_, { value, path }, given) =>
    given === true && Array.isArray(value) && new Set(value.map((one) => JSON.stringify(one))).size < value.length
      ? `${path} has an item twice`
      : undefined,
}

function first<T>(list: readonly T[], check: (one: T, at: number) => string | undefined): string | undefined {
  for (const [at, one] of list.entries()) {
    const problem = check(one, at)
    if (problem !== undefined) return problem
  }
  return undefined
}

function bound(what: string, size: (value: unknown) => number | undefined, which: 'least' | 'most'): Keyword {
  return (_, { value, path }, given) => {
    const own = size(value)
    if (own === undefined || typeof given !== 'number') return undefined
    const fits = which === 'least' ? own >= given : own <= given
    return fits ? undefined : `${path} needs at ${which} ${given} ${what}`
  }
}

function compared(fits: (value: number, limit: number) => boolean, words: string): Keyword {
  return (_, { value, path }, given) =>
    typeof value !== 'number' || typeof given !== 'number' || fits(value, given)
      ? undefined
      : `${path} must be ${words} ${given}`
}

function isOfType(value: unknown, type: unknown): boolean {
  switch (type) {
    case 'null':
      return value === null
    case 'array':
      return Array.isArray(value)
    case 'object':
      return isObject(value)
    case 'integer':
      return Number.isInteger(value)
    default:
      return typeof value === type
  }
}

function lengthOf(value: unknown): number | undefined {
  return typeof value === 'string' ? [...value].length : undefined
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? ''
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}
