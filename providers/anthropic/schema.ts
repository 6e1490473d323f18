import { isObject, type JsonObject } from '../../src/wire/json.ts'

/** Keywords that Anthropic refuses in a schema that it enforces; the model is told of them instead. */
const told = [
  ...['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf', 'minLength', 'maxLength', 'pattern'],
  ...['minItems', 'maxItems', 'uniqueItems', 'minProperties', 'maxProperties', 'not'],
] as const

const formats: ReadonlySet<unknown> = new Set([
  'date-time',
  'time',
  'date',
  'duration',
  'email',
  'hostname',
  'uri',
  'ipv4',
  'ipv6',
  'uuid',
])

const kept = ['$ref', '$schema', '$id', 'title', 'description', 'default', 'const', 'enum', 'type', 'required'] as const

/**
 * A schema in the keywords that are enforced; limits go into the description, as Anthropic's own SDKs do it.
 * https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations
 */
export function enforceable(schema: unknown): unknown {
  if (!isObject(schema)) return schema
  const alternatives = schema.anyOf ?? schema.oneOf
  const description = describedWith(schema)
  return {
    ...Object.fromEntries(kept.filter((name) => schema[name] !== undefined).map((name) => [name, schema[name]])),
    ...(description !== '' && { description }),
    ...(formats.has(schema.format) && { format: schema.format }),
    ...(Array.isArray(alternatives) && { anyOf: alternatives.map(enforceable) }),
    ...(Array.isArray(schema.allOf) && { allOf: schema.allOf.map(enforceable) }),
    ...(schema.items !== undefined && {
      items: Array.isArray(schema.items) ? schema.items.map(enforceable) : enforceable(schema.items),
    }),
    ...named(schema, 'properties'),
    ...named(schema, '$defs'),
    ...named(schema, 'definitions'),
    ...(isOfObjects(schema) && { additionalProperties: false }),
  }
}

/** Whether it means objects with keys of any name, which is what can't be enforced. */
export function isOpen(schema: unknown): boolean {
  if (Array.isArray(schema)) return schema.some(isOpen)
  if (!isObject(schema)) return false
  const { additionalProperties: others, properties } = schema
  if (others === true || isObject(others) || isObject(schema.patternProperties)) return true
  if (isOfObjects(schema) && others !== false && Object.keys(isObject(properties) ? properties : {}).length === 0) {
    return true
  }
  const inner = [schema.anyOf, schema.oneOf, schema.allOf, schema.items]
  const all = [properties, schema.$defs, schema.definitions].flatMap((one) => (isObject(one) ? Object.values(one) : []))
  return [...inner, ...all].some(isOpen)
}

export function isOfObjects({ type, properties }: JsonObject): boolean {
  return [type].flat().includes('object') || (type === undefined && isObject(properties))
}

function named(schema: JsonObject, key: string): JsonObject {
  const all = schema[key]
  if (!isObject(all)) return {}
  return { [key]: Object.fromEntries(Object.entries(all).map(([name, one]) => [name, enforceable(one)])) }
}

function describedWith(schema: JsonObject): string {
  const limits = [...told, ...(formats.has(schema.format) ? [] : ['format'])].filter(
    (name) => schema[name] !== undefined,
  )
  const words = limits.map((name) => `${name}: ${JSON.stringify(schema[name])}`).join(', ')
  return [schema.description, words && `(${words})`].filter((text) => typeof text === 'string' && text !== '').join(' ')
}
