import { isObject, type JsonObject } from '../../wire/json.ts'

/** Fields with schemas by name, with lists of schemas, and with one schema. */
const byName: ReadonlySet<string> = new Set(['properties', '$defs', 'defs'])
const within: ReadonlySet<string> = new Set(['anyOf', 'prefixItems', 'items', 'additionalProperties'])
/** Numbers that proto's JSON has as texts. */
const counts = /^(min|max)(Items|Length|Properties)$/
/** Fields that JSON Schema hasn't. */
const others: ReadonlySet<string> = new Set(['nullable', 'propertyOrdering', 'example'])

/**
 * JSON Schema for Google's own kind of schema, a subset of OpenAPI's with the types in upper case:
 * https://ai.google.dev/api/caching#Schema
 */
export function jsonSchema(schema: JsonObject): JsonObject {
  const entries = Object.entries(schema).map(([key, value]) => [camelKey(key), value] as const)
  const kept = entries.flatMap(([name, value]) =>
    others.has(name) || isUnsaid(name, value) ? [] : [[name, valueFor(name, value)]],
  )
  const made: JsonObject = Object.fromEntries(kept)
  return schema.nullable === true ? nullable(made) : made
}

function valueFor(name: string, value: unknown): unknown {
  if (name === 'type') return Array.isArray(value) ? value.map(lower) : lower(value)
  if (byName.has(name) && isObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, isObject(one) ? jsonSchema(one) : one]))
  }
  if (within.has(name)) {
    if (Array.isArray(value)) return value.map((one) => (isObject(one) ? jsonSchema(one) : one))
    return isObject(value) ? jsonSchema(value) : value
  }
  return counts.test(name) && typeof value === 'string' ? Number(value) : value
}

/** Proto's default for a type that nobody has set. */
function isUnsaid(name: string, value: unknown): boolean {
  return name === 'type' && value === 'TYPE_UNSPECIFIED'
}

function nullable(schema: JsonObject): JsonObject {
  const { type, enum: values } = schema
  if (typeof type !== 'string') return { anyOf: [schema, { type: 'null' }] }
  return { ...schema, type: [type, 'null'], ...(Array.isArray(values) && { enum: [...values, null] }) }
}

function lower(type: unknown): unknown {
  return typeof type === 'string' ? type.toLowerCase() : type
}

function camelKey(key: string): string {
  return /^(any_of|(min|max)_[a-z]+|property_ordering|prefix_items|additional_properties)$/.test(key)
    ? key.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase())
    : key
}
