import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'

/** Where OpenAI's specification is, if this machine has it: beside the repository. */
export const specificationFile = 'openapi-2026-08-21.json'
const file = fileURLToPath(new URL(`../../../shared/openai/${specificationFile}`, import.meta.url))

/** Checks bodies against a specification. A check says what is wrong, or undefined. */
export interface Specification {
  readonly name: string
  /** The body of a good answer, or one chunk of it, on a path without `/v1`. */
  answer(method: 'get' | 'post', path: string, streamed: boolean): Check
  readonly error: Check
}

export type Check = (body: unknown) => string | undefined

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
type JsonObject = { [key: string]: Json }

/** OpenAI's specification, or undefined where it is not at hand. */
export function loadSpecification(): Specification | undefined {
  if (!existsSync(file)) return undefined
  const document = JSON.parse(readFileSync(file, 'utf8')) as JsonObject
  const ajv = new Ajv2020({ strict: false, validateFormats: false })
  const schemas = corrected(document)
  const components = ['components', 'schemas'] as const
  // A chunk of legacy completions has no schema of its own, and no reason to stop before the last.
  const choice = [...components, 'CreateCompletionResponse', 'properties', 'choices', 'items', 'properties']
  allow(at(schemas, ...choice), 'finish_reason', 'null')
  // A vector in base64, which the request's schema offers and the official clients ask for.
  allow(at(schemas, ...components, 'Embedding', 'properties'), 'embedding', 'string')
  // The usage of a response that is not over is null in OpenAI's answers, and in the examples beside the schema.
  const parts = at(schemas, ...components, 'Response', 'allOf')
  for (const part of Array.isArray(parts) ? parts : []) {
    const properties = at(part, 'properties')
    if (at(properties, 'usage') !== undefined) allow(properties, 'usage', 'null')
  }
  ajv.addSchema({ $id: 'openai', ...(schemas as JsonObject) })
  const known = new Map<string, ValidateFunction>()
  const checkAt = (...path: readonly string[]): Check => {
    const pointer = path.map((key) => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
    if (at(document, ...path) === undefined) return () => undefined
    const validate = known.get(pointer) ?? ajv.compile({ $ref: `openai#${pointer}` })
    known.set(pointer, validate)
    return (body) => (validate(body) ? undefined : said(validate))
  }
  return {
    name: `${textAt(document, 'info', 'title')} ${textAt(document, 'info', 'version')}`,
    answer(method, path, streamed) {
      const content = ['paths', path, method, 'responses', '200', 'content']
      const events = streamed ? at(document, ...content, 'text/event-stream', 'schema') : undefined
      if (events === undefined) return checkAt(...content, 'application/json', 'schema')
      const kinds = eventKinds(document, events)
      const any = checkAt(...content, 'text/event-stream', 'schema')
      return kinds.size === 0 ? any : (body) => checkEvent(body, kinds, checkAt)
    },
    error: checkAt('components', 'schemas', 'ErrorResponse'),
  }
}

/** Where the schemas of events are, by their types; none where all have one schema. */
function eventKinds(document: JsonObject, schema: Json): ReadonlyMap<Json, readonly string[]> {
  const path = pathOf(schema)
  const choices = path && at(document, ...path, 'anyOf')
  if (!Array.isArray(choices)) return new Map()
  return new Map(
    choices.flatMap((choice) => {
      const kind = pathOf(choice)
      const types = kind && at(document, ...kind, 'properties', 'type', 'enum')
      return kind && Array.isArray(types) ? types.map((type) => [type, kind]) : []
    }),
  )
}

function checkEvent(
  body: unknown,
  kinds: ReadonlyMap<Json, readonly string[]>,
  checkAt: (...path: readonly string[]) => Check,
): string | undefined {
  const { type } = body as { type: string }
  const path = kinds.get(type)
  const wrong = path ? checkAt(...path)(body) : 'there is no such event'
  return wrong && `${type}: ${wrong}`
}

/** The place that a schema refers to. */
function pathOf(schema: Json): readonly string[] | undefined {
  return textAt(schema, '$ref')?.split('/').slice(1)
}

function said(validate: ValidateFunction): string {
  const [first] = validate.errors ?? []
  return first ? `${first.instancePath || 'the body'} ${first.message}` : 'it is not what the specification says'
}

/**
 * The schemas as JSON Schema of 2020 reads them: `nullable` is OpenAPI 3.0's, and `discriminator` repeats what `oneOf`
 * says.
 */
function corrected(schema: Json): Json {
  if (Array.isArray(schema)) return schema.map(corrected)
  if (schema === null || typeof schema !== 'object') return schema
  const entries = Object.entries(schema).filter(([key, value]) => !(isDiscriminator(key, value) || key === 'nullable'))
  const object = Object.fromEntries(entries.map(([key, value]) => [key, corrected(value)])) as JsonObject
  return schema.nullable === true ? { anyOf: [object, { type: 'null' }] } : object
}

const isDiscriminator = (key: string, value: Json) =>
  key === 'discriminator' && typeof at(value, 'propertyName') === 'string'

/** What the specification leaves out of a property. */
function allow(properties: Json | undefined, name: string, type: string): void {
  const schemas = properties as JsonObject
  schemas[name] = { anyOf: [schemas[name] ?? {}, { type }] }
}

function at(value: Json | undefined, ...path: readonly string[]): Json | undefined {
  let found: Json | undefined = value
  for (const key of path) {
    found = found !== null && typeof found === 'object' && !Array.isArray(found) ? found[key] : undefined
  }
  return found
}

function textAt(value: Json | undefined, ...path: readonly string[]): string | undefined {
  const found = at(value, ...path)
  return typeof found === 'string' ? found : undefined
}
