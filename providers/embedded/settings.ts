import { invalidType, invalidValue, isObject, type JsonObject } from './contract.ts'
import type { Sampling } from './sampler.ts'

/** Settings that chat and completions requests share. */
export interface Settings {
  readonly sampling: Omit<Sampling, 'seed'>
  readonly seed: number | null
  readonly maxTokens: number | null
  readonly stop: readonly string[]
  readonly n: number
  readonly includeUsage: boolean
}

const MOST_STOPS = 4
/** Maximum answers to one request. */
export const MOST_CHOICES = 128

/** Throws an `EngineError` that names the first field with a wrong type or value. Null counts as absent. */
export function readSettings(body: JsonObject, vocabulary: number): Settings {
  return {
    sampling: {
      // A model this small has memorized an answer or does not know it: sampling only adds mistakes. The recorded
      // Ollama model uses 0 for the same reason.
      temperature: readNumber(body, 'temperature', 0, 2) ?? 0,
      topP: readNumber(body, 'top_p', 0, 1) ?? 1,
      topK: readInteger(body, 'top_k', 0, vocabulary) ?? 0,
      frequencyPenalty: readNumber(body, 'frequency_penalty', -2, 2) ?? 0,
      presencePenalty: readNumber(body, 'presence_penalty', -2, 2) ?? 0,
      bias: readBias(body.logit_bias, vocabulary),
    },
    seed: readInteger(body, 'seed', Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
    maxTokens:
      readInteger(body, 'max_completion_tokens', 1, Number.MAX_SAFE_INTEGER) ??
      readInteger(body, 'max_tokens', 0, Number.MAX_SAFE_INTEGER),
    stop: readStop(body.stop),
    n: readInteger(body, 'n', 1, MOST_CHOICES) ?? 1,
    includeUsage: readUsageOption(body.stream_options),
  }
}

export function readNumber(body: JsonObject, param: string, min: number, max: number): number | null {
  const value = body[param] ?? null
  if (value === null) return null
  if (typeof value !== 'number') throw invalidType(param, 'a number', value)
  if (!(value >= min && value <= max)) {
    throw invalidValue(param, `expected a number from ${min} to ${max}, but got ${value}.`)
  }
  return value
}

export function readInteger(body: JsonObject, param: string, min: number, max: number): number | null {
  const value = body[param] ?? null
  if (value === null) return null
  if (typeof value !== 'number' || !Number.isInteger(value)) throw invalidType(param, 'an integer', value)
  return readNumber(body, param, min, max)
}

export function readBoolean(body: JsonObject, param: string): boolean | null {
  const value = body[param] ?? null
  if (value !== null && typeof value !== 'boolean') throw invalidType(param, 'a boolean', value)
  return value
}

function readStop(value: unknown): string[] {
  if (value === undefined || value === null) return []
  const stops: unknown[] = Array.isArray(value) ? value : [value]
  if (stops.length > MOST_STOPS) throw invalidValue('stop', `expected at most ${MOST_STOPS} strings.`)
  return stops.filter((stop): stop is string => {
    if (typeof stop !== 'string') throw invalidType('stop', 'a string or an array of strings', stop)
    return stop !== ''
  })
}

function readBias(value: unknown, vocabulary: number): Map<number, number> {
  const bias = new Map<number, number>()
  if (value === undefined || value === null) return bias
  if (!isObject(value)) throw invalidType('logit_bias', 'an object', value)
  for (const key of Object.keys(value)) {
    const id = Number(key)
    // One way to write each id, so that there are no more keys than ids.
    if (String(id) !== key || !Number.isInteger(id) || id < 0 || id >= vocabulary) {
      throw invalidValue('logit_bias', `'${key}' is not a token id; ids go from 0 to ${vocabulary - 1}.`)
    }
    const amount = value[key]
    if (typeof amount !== 'number') throw invalidType(`logit_bias.${key}`, 'a number', amount)
    if (!(amount >= -100 && amount <= 100)) throw invalidValue('logit_bias', 'a bias goes from -100 to 100.')
    bias.set(id, amount)
  }
  return bias
}

function readUsageOption(options: unknown): boolean {
  if (options === undefined || options === null) return false
  if (!isObject(options)) throw invalidType('stream_options', 'an object', options)
  return readBoolean(options, 'include_usage') ?? false
}
