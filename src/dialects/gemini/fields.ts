import { invalid } from '../../wire/body.ts'
import { GatewayError } from '../../wire/errors.ts'
import { isObject, type JsonObject } from '../../wire/json.ts'

/** Values whose keys are the client's own: they stay as they are. */
const own: ReadonlySet<string> = new Set(
  ['args', 'response', 'parameters', 'parametersJsonSchema', 'responseSchema', 'responseJsonSchema'].concat([
    '_responseJsonSchema',
    'responseFormat',
    'labels',
  ]),
)

/** Google takes the names of fields in either case: `system_instruction` is `systemInstruction`. */
export function camel(object: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(object).map(([key, value]) => {
      const name = camelName(key)
      return [name, own.has(name) ? value : inside(value)]
    }),
  )
}

function camelName(key: string): string {
  return key.includes('_', 1) ? key.replace(/(?<=\w)_([a-z])/g, (_, letter) => letter.toUpperCase()) : key
}

/** Throws Google's 400 for a field in both cases: which of the two counts, nobody can tell. `path`: where the object is. */
export function checkNames(object: JsonObject, path = ''): void {
  for (const key in object) {
    const name = camelName(key)
    if (name !== key && Object.hasOwn(object, name)) throw namedTwice(path, key, name)
    if (!own.has(name)) checkNamesIn(object[key], path === '' ? name : `${path}.${name}`)
  }
}

function checkNamesIn(value: unknown, path: string): void {
  if (isObject(value)) checkNames(value, path)
  else if (Array.isArray(value)) for (let at = 0; at < value.length; at++) checkNamesIn(value[at], `${path}[${at}]`)
}

function namedTwice(path: string, key: string, name: string): GatewayError {
  const place = path === '' ? '' : ` at '${path}'`
  const message = `Invalid value${place} (oneof), oneof field '_${key}' is already set. Cannot set '${name}'`
  return invalid(message, path === '' ? name : `${path}.${name}`)
}

function inside(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inside)
  return isObject(value) ? camel(value) : value
}

/** A repeated field, of which Google takes a single one without its list too. */
export function listOf(value: unknown, path: string): readonly JsonObject[] {
  if (value === undefined || value === null) return []
  if (isObject(value)) return [value]
  if (!Array.isArray(value)) throw invalid(`Invalid value at '${path}': a list is expected.`, path)
  return value.map((one, at) => {
    if (isObject(one)) return one
    throw invalid(`Invalid value at '${path}[${at}]': an object is expected.`, `${path}[${at}]`)
  })
}

export function objectIn(object: JsonObject, name: string, path = name): JsonObject {
  const value = object[name]
  if (value === undefined || value === null) return {}
  if (isObject(value)) return value
  throw invalid(`Invalid value at '${path}': an object is expected.`, path)
}

/** An empty text is proto's default: clients that send their defaults have it for a field that they don't set. */
export function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null && value !== ''
}

/** A field that is a number. Proto's JSON takes it as a text too: https://protobuf.dev/programming-guides/json */
export function numberFor(value: unknown): unknown {
  return typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value)) ? Number(value) : value
}

/** Those of `generationConfig`. */
export const numbers: ReadonlySet<string> = new Set(
  ['temperature', 'topP', 'topK', 'maxOutputTokens', 'candidateCount', 'seed'].concat([
    'presencePenalty',
    'frequencyPenalty',
    'logprobs',
  ]),
)

/** The `generationConfig` of a request, with its numbers as numbers. */
export function configOf(asked: JsonObject): JsonObject {
  const entries = Object.entries(objectIn(asked, 'generationConfig'))
  return Object.fromEntries(entries.map(([name, value]) => [name, numbers.has(name) ? numberFor(value) : value]))
}

/** The `stopSequences` of a configuration, of whatever type they are; a single one may be without a list. */
export function stopsIn({ stopSequences: stops }: JsonObject): readonly unknown[] {
  return Array.isArray(stops) ? stops : isGiven(stops) ? [stops] : []
}

/** What no chat can do; another model may. */
export function unsupported(path: string): GatewayError {
  return new GatewayError('incapable', `${path} is not supported with this model.`, { param: path })
}

/** Content of a part or of an instruction, which may be a mere text. */
export function partsIn(content: unknown, path: string): readonly JsonObject[] {
  if (typeof content === 'string') return [{ text: content }]
  if (Array.isArray(content)) return content.flatMap((one, at) => partsIn(one, `${path}[${at}]`))
  if (!isObject(content)) return []
  return 'parts' in content ? listOf(content.parts, `${path}.parts`) : 'text' in content ? [content] : []
}
