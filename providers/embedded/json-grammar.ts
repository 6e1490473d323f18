import { invalidType, isObject, type JsonObject, unsupported } from './contract.ts'
import { all, any, later, never, optional, type Rule, range, text, upTo } from './grammar.ts'
import { excessOf } from './schema-size.ts'
import { sizeOfRule } from './shortest.ts'

// At most one space, as in the model's training data: if more were allowed, it might never stop writing them.
const space = optional(text(' '))

const digit = range(0x30, 0x39)
const hex = any(digit, range(0x41, 0x46), range(0x61, 0x66))
const trail = range(0x80, 0xbf)
const character = any(
  range(0x20, 0x21),
  range(0x23, 0x5b),
  range(0x5d, 0x7e),
  all(range(0xc2, 0xdf), trail),
  all(range(0xe0, 0xef), trail, trail),
  all(range(0xf0, 0xf4), trail, trail, trail),
  all(text('\\'), any(...[...'"\\/bfnrt'].map(text), all(text('u'), hex, hex, hex, hex))),
)
/** Maximum characters of a string: a small model may otherwise never end one. */
const longest = 64
/** Maximum members of an object with free names, and items of a list, for the same reason. */
const most = 16
/** Maximum nesting of lists and objects where the schema allows any value. */
const deepest = 4

const string = all(text('"'), upTo(longest, character), text('"'))
// Fifteen digits are what a double keeps, and they stop a number that would never end.
const integer = all(optional(text('-')), any(text('0'), all(range(0x31, 0x39), upTo(14, digit))))
const fraction = all(text('.'), digit, upTo(14, digit))
const exponent = all(any(text('e'), text('E')), optional(any(text('+'), text('-'))), digit, optional(digit))
const number = all(integer, optional(fraction), optional(exponent))
const boolean = any(text('true'), text('false'))

const scalar = any(string, number, boolean, text('null'))
const anyValue = valueWithin(deepest)
export const anyObject: Rule = objectOf(valueWithin(deepest - 1))

/** Any value with at most `depth` levels of nesting. */
function valueWithin(depth: number): Rule {
  if (depth === 0) return scalar
  const inner = later(() => valueWithin(depth - 1))
  return any(objectOf(inner), list('[', inner, ']'), scalar)
}

const BY_TYPE: Record<string, (schema: JsonObject, at: Place) => Rule> = {
  object: objectRule,
  array: (schema, at) =>
    list('[', schema.items === undefined ? anyValue : valueRule(schema.items, at), ']', schema.minItems),
  string: () => string,
  number: () => number,
  integer: () => integer,
  boolean: () => boolean,
  null: () => text('null'),
}

const ENFORCED = [
  'type',
  'properties',
  'required',
  'items',
  'minItems',
  'enum',
  'const',
  'anyOf',
  'oneOf',
  '$ref',
  'additionalProperties',
]
const REMARKS = [
  'title',
  'description',
  'default',
  'examples',
  '$schema',
  '$id',
  '$comment',
  '$defs',
  'definitions',
  'strict',
  'nullable',
]
const KNOWN = new Set([...ENFORCED, ...REMARKS])

interface Place {
  readonly root: JsonObject
  /** The request field to name in an error; if null, keywords that cannot be enforced are ignored. */
  readonly param: string | null
  /** One rule for each `$ref` target: otherwise a recursive schema would produce endless rules. */
  readonly referred: Map<unknown, Rule>
}

/**
 * The JSON texts that satisfy `schema`: type, properties (in their order), required, additionalProperties, items,
 * minItems 0 or 1, enum, const, anyOf, oneOf and local $ref. With a `param`, other keywords throw `EngineError`,
 * because an answer must not claim to follow a schema that was not enforced. The same holds for a schema that is too
 * large, or that no text satisfies; without a `param`, any object is allowed then.
 */
export function schemaRule(schema: JsonObject, param: string | null): Rule {
  const excess = excessOf(schema)
  const rule = excess === undefined ? valueRule(schema, { root: schema, param, referred: new Map() }) : never
  if (Number.isFinite(sizeOfRule(rule))) return rule
  if (param === null) return anyObject
  throw unsupported(
    param,
    excess === undefined
      ? 'The embedded model cannot satisfy the JSON schema: no text does, or none that fits into an answer.'
      : `The embedded model cannot enforce a JSON schema this large: it has ${excess}.`,
  )
}

function valueRule(schema: unknown, at: Place): Rule {
  if (schema === true) return anyValue
  if (schema === false) return never
  if (!isObject(schema)) {
    if (at.param === null) return anyValue
    throw invalidType(at.param, 'a JSON schema', schema)
  }
  if (at.param !== null) checkKeywords(schema, at.param)
  if (typeof schema.$ref === 'string') return reference(schema.$ref, at)
  const typed = (values: unknown[]) =>
    any(...values.filter((value) => isOfType(value, schema.type)).map((value) => text(JSON.stringify(value))))
  if ('const' in schema) return typed([schema.const])
  if (Array.isArray(schema.enum)) return typed(schema.enum)
  const options = schema.anyOf ?? schema.oneOf
  if (Array.isArray(options)) return any(...options.map((option) => valueRule(option, at)))
  const types = Array.isArray(schema.type) ? schema.type : [schema.type ?? (schema.properties ? 'object' : undefined)]
  return any(...types.map((type) => typeRule(type, schema, at)))
}

function typeRule(type: unknown, schema: JsonObject, at: Place): Rule {
  if (typeof type === 'string' && Object.hasOwn(BY_TYPE, type)) return BY_TYPE[type]?.(schema, at) ?? anyValue
  if (type === undefined || at.param === null) return anyValue
  throw unsupported(at.param, `The embedded model does not know the JSON schema type '${String(type)}'.`)
}

/** Whether a value of `enum` has the schema's type too, if it names any. */
function isOfType(value: unknown, type: unknown): boolean {
  if (type === undefined) return true
  const own = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value
  const types: unknown[] = Array.isArray(type) ? type : [type]
  return types.includes(own) || (Number.isInteger(value) && types.includes('integer'))
}

function checkKeywords(schema: JsonObject, param: string): void {
  const unknown = Object.keys(schema).find((keyword) => !KNOWN.has(keyword))
  const keyword = unknown ?? (Number(schema.minItems ?? 0) > 1 ? 'minItems' : undefined)
  if (keyword) throw unsupported(param, `The embedded model cannot enforce the JSON schema keyword '${keyword}'.`)
}

function reference(pointer: string, at: Place): Rule {
  const steps = pointer.split('/').slice(1)
  const target = steps.reduce<unknown>(
    (node, step) => (isObject(node) ? node[step.replaceAll('~1', '/').replaceAll('~0', '~')] : undefined),
    at.root,
  )
  if (!pointer.startsWith('#') || target === undefined) {
    if (at.param === null) return anyValue
    throw unsupported(at.param, `The embedded model cannot follow the JSON schema reference '${pointer}'.`)
  }
  const known = at.referred.get(target)
  if (known) return known
  let rule: Rule | undefined
  const named = later(() => rule ?? anyValue)
  at.referred.set(target, named)
  rule = valueRule(target, at)
  return named
}

function objectRule(schema: JsonObject, at: Place): Rule {
  const extra = schema.additionalProperties
  const required = new Set(Array.isArray(schema.required) ? schema.required : [])
  const declared = isObject(schema.properties) ? schema.properties : {}
  const undeclared = [...required].filter((name) => typeof name === 'string' && !Object.hasOwn(declared, name))
  const properties = [
    ...Object.entries(declared),
    ...undeclared.map((name): [string, unknown] => [String(name), extra ?? true]),
  ]
  if (properties.length === 0)
    return extra === false ? text('{}') : objectOf(isObject(extra) ? valueRule(extra, at) : anyValue)
  // From the last property to the first: what may follow if a member was written before, and if none was.
  let after: Rule = all()
  let first: Rule = all()
  for (const [name, value] of properties.reverse()) {
    const member = all(text(JSON.stringify(name)), text(':'), space, valueRule(value, at))
    const [afterHere, firstHere] = [all(text(','), space, member, after), all(member, after)]
    const must = required.has(name)
    first = must ? firstHere : any(firstHere, first)
    after = must ? afterHere : any(afterHere, after)
  }
  return all(text('{'), first, text('}'))
}

function objectOf(value: Rule): Rule {
  return list('{', all(string, text(':'), space, value), '}')
}

function list(open: string, item: Rule, close: string, least: unknown = 0): Rule {
  const items = all(item, upTo(most - 1, all(text(','), space, item)))
  return all(text(open), Number(least) > 0 ? items : optional(items), text(close))
}
