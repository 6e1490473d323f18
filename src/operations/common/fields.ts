import { describe, invalid, type RequestBody } from '../../wire/body.ts'
import { isFormBody } from '../../wire/body-kinds.ts'
import { isObject, type JsonObject } from '../../wire/json.ts'

/** What a field may hold: its name in messages, and the check. */
export interface FieldType {
  readonly expected: string
  readonly fits: (value: unknown) => boolean
}

export const aText: FieldType = { expected: 'a string', fits: (value) => typeof value === 'string' }
export const aNumber: FieldType = { expected: 'a decimal', fits: (value) => typeof value === 'number' }
export const anInteger: FieldType = { expected: 'an integer', fits: Number.isInteger }
export const aBoolean: FieldType = { expected: 'a boolean', fits: (value) => typeof value === 'boolean' }
export const anArray: FieldType = { expected: 'an array', fits: Array.isArray }
export const anObject: FieldType = { expected: 'an object', fits: isObject }
export const aVoice: FieldType = {
  expected: 'a string or an object',
  fits: (value) => typeof value === 'string' || isObject(value),
}
export const textOrList: FieldType = {
  expected: 'a string or an array',
  fits: (value) => typeof value === 'string' || Array.isArray(value),
}

/** Throws a 400 in OpenAI's words if a required field is missing, or one has a value of the wrong type. */
export function checkRequest(
  body: RequestBody,
  required: readonly string[],
  types: Readonly<Record<string, FieldType>>,
): void {
  // All values of a form are texts, and the upstream reads them.
  if (!isFormBody(body)) checkTypes(body.outline, types)
  for (const name of required) {
    if (has(body, name)) continue
    throw invalid(`Missing required parameter: '${name}'.`, name, 'missing_required_parameter')
  }
}

/** Throws the 400 for the first field with a value of the wrong type. */
export function checkTypes(json: JsonObject, types: Readonly<Record<string, FieldType>>): void {
  for (const name in types) {
    const value = json[name]
    const type = types[name]
    if (value === undefined || value === null || !type || type.fits(value)) continue
    throw wrongType(name, type.expected, value)
  }
}

export function wrongType(param: string, expected: string, value: unknown) {
  return invalid(
    `Invalid type for '${param}': expected ${expected}, but got ${describe(value)} instead.`,
    param,
    'invalid_type',
  )
}

interface Bounds {
  readonly least: number
  readonly most?: number
}

/** Throws a 400 in OpenAI's words if an integer is out of its bounds; it may be the text of one, from a form. */
export function checkBounds(name: string, value: unknown, { least, most = Number.POSITIVE_INFINITY }: Bounds): void {
  const given = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  if (typeof given !== 'number' || !Number.isInteger(given) || (given >= least && given <= most)) return
  const [direction, sign, bound] = given < least ? ['below minimum', '>=', least] : ['above maximum', '<=', most]
  throw invalid(
    `Invalid '${name}': integer ${direction} value. Expected a value ${sign} ${bound}, but got ${given} instead.`,
    name,
    given < least ? 'integer_below_min_value' : 'integer_above_max_value',
  )
}

function has(body: RequestBody, name: string): boolean {
  const value = body.outline[name]
  if (value !== undefined && value !== null) return true
  if (!isFormBody(body)) return false
  // What has not been read yet may hold it.
  return !body.isWhole || body.parts.some((part) => part.name.replace(/\[\]$/, '') === name)
}
