import { isObject, type JsonObject } from '../../wire/json.ts'

/** Keywords that no strict schema has: https://platform.openai.com/docs/guides/structured-outputs#supported-schemas */
const unsupported = ['allOf', 'oneOf', 'not', 'if', 'then', 'else', 'patternProperties', 'propertyNames'].concat([
  'dependentRequired',
  'dependentSchemas',
  'prefixItems',
  'unevaluatedProperties',
])

/**
 * Whether OpenAI takes a schema with `strict: true`: all properties of each object must be required, and no others be
 * allowed. Anthropic lets them be optional.
 */
export function isStrict(schema: unknown): boolean {
  return isObject(schema) && schema.type === 'object' && schema.anyOf === undefined && fits(schema)
}

function fits(schema: unknown): boolean {
  if (!isObject(schema) || unsupported.some((name) => schema[name] !== undefined)) return false
  const { items, anyOf, $defs: defs, definitions } = schema
  const inner = [valuesOf(defs), valuesOf(definitions), listOf(anyOf), items === undefined ? [] : [items]].flat()
  return isClosed(schema) && inner.every(fits)
}

function isClosed({ type, properties, required, additionalProperties }: JsonObject): boolean {
  const isOfObjects = [type].flat().includes('object') || properties !== undefined
  if (!isOfObjects) return true
  const names = Object.keys(isObject(properties) ? properties : {})
  return (
    additionalProperties === false &&
    names.every((name) => listOf(required).includes(name)) &&
    valuesOf(properties).every(fits)
  )
}

function valuesOf(value: unknown): readonly unknown[] {
  return isObject(value) ? Object.values(value) : []
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
