import { invalid } from '../../wire/body.ts'
import { shorten } from '../../wire/errors.ts'
import { isObject, type JsonObject } from '../../wire/json.ts'

/** What a field may hold: its type in Ollama's own words, which are Go's, and the check. */
export interface GoType {
  readonly name: string
  readonly fits: (value: unknown) => boolean
}

export const aString: GoType = { name: 'string', fits: (value) => typeof value === 'string' }
export const aBool: GoType = { name: 'bool', fits: (value) => typeof value === 'boolean' }
export const anInt: GoType = { name: 'int', fits: Number.isInteger }
export const aMap: GoType = { name: 'map[string]interface {}', fits: isObject }
export const listOf = (name: string): GoType => ({ name: `[]${name}`, fits: Array.isArray })

/** Throws the 400 for the first field with a value of the wrong type. `of`: the name of the request's type. */
export function checkFields(json: JsonObject, of: string, types: Readonly<Record<string, GoType>>): void {
  for (const [name, type] of Object.entries(types)) {
    const value = json[name]
    if (value === undefined || value === null || type.fits(value)) continue
    throw invalid(
      `json: cannot unmarshal ${kindOf(value)} into Go struct field ${of}.${name} of type ${type.name}`,
      name,
    )
  }
}

/** What requests for a text have in common. */
export function checkSettings({ think, top_logprobs: top, options, format }: JsonObject): void {
  if (typeof top === 'number' && (top < 0 || top > 20)) {
    throw invalid('top_logprobs must be between 0 and 20')
  }
  if (!isThink(think)) {
    const levels = 'must be "high", "medium", "low", "max", true, or false'
    throw invalid(`invalid think value: ${JSON.stringify(think)} (${levels})`)
  }
  if (!isFormat(format)) {
    const told = JSON.stringify(shorten(JSON.stringify(format)))
    throw invalid(`invalid format: ${told}; expected "json" or a valid JSON Schema object`, 'format')
  }
  for (const [name, value] of Object.entries(isObject(options) ? options : {})) {
    const type = typeOfOption(name)
    if (type === undefined || value === null || fitting[type](value)) continue
    throw invalid(`option ${JSON.stringify(name)} must be of type ${type}`)
  }
  const stops = isObject(options) ? options.stop : undefined
  if (Array.isArray(stops) && !stops.every((stop) => typeof stop === 'string')) {
    throw invalid('option "stop" must be of an array of strings')
  }
}

/** https://github.com/ollama/ollama/blob/main/llm/server.go: null and an empty text are no format. */
function isFormat(value: unknown): boolean {
  return value === undefined || value === null || value === '' || value === 'json' || isObject(value)
}

function isThink(value: unknown): boolean {
  if (value === undefined || value === null || typeof value === 'boolean') return true
  return ['high', 'medium', 'low', 'max'].includes(value as string)
}

const fitting = {
  float32: (value: unknown) => typeof value === 'number',
  integer: (value: unknown) => typeof value === 'number',
  array: Array.isArray,
} as const

const floats = /^(temperature|(top|min|typical)_p|(repeat|presence|frequency)_penalty)$/
const integers = /^(num_(ctx|keep|predict|batch|gpu|thread)|main_gpu|seed|top_k|repeat_last_n)$/

/** Whether Ollama reads an option as a whole number, and leaves out what follows the point. */
export function isWhole(name: string): boolean {
  return integers.test(name)
}

function typeOfOption(name: string): keyof typeof fitting | undefined {
  if (name === 'stop') return 'array'
  return floats.test(name) ? 'float32' : integers.test(name) ? 'integer' : undefined
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  return typeof value === 'boolean' ? 'bool' : typeof value
}
