import type { Options } from 'ollama/browser'
import { efforts } from '../../src/core/efforts.ts'
import { synonyms, valueAs, valueIn, without } from '../../src/core/synonyms.ts'
import { invalid } from '../../src/wire/body.ts'
import { GatewayError, shorten } from '../../src/wire/errors.ts'
import { type JsonObject, objectAt } from '../../src/wire/json.ts'
import { schemaIn } from '../../src/wire/response-format.ts'

/**
 * Maximum tokens of a chat answer if neither client nor configuration sets one. Not meant to shorten answers: without
 * it, a small model that loops would run until its client leaves, and block the others. Long reasoning needs less.
 */
const defaultLimit = 16_384

/** The same for a model that has room for `contextWindow` tokens, if that is known. */
export function limitFor(contextWindow: number | undefined): number {
  return Math.min(defaultLimit, contextWindow ?? defaultLimit)
}

/** Request fields, of OpenAI or Ollama, that Ollama takes inside `options` under the same name. */
const sameOptions = [
  'temperature',
  'top_p',
  'presence_penalty',
  'frequency_penalty',
  'top_k',
  'min_p',
  'typical_p',
  'repeat_last_n',
  'num_ctx',
  'num_keep',
  'num_batch',
  'num_gpu',
  'num_thread',
  'mirostat',
  'mirostat_tau',
  'mirostat_eta',
] as const satisfies readonly (keyof Options)[]

/** Fields that are not passed on: they are translated to others, or don't affect the answer. */
const spent: ReadonlySet<string> = new Set([
  ...sameOptions,
  ...[...synonyms.limit, ...synonyms.stop, ...synonyms.repetition, ...synonyms.thinking, ...synonyms.choice],
  ...synonyms.seed,
  ...['reasoning', 'functions', 'stream_options', 'response_format', 'n', 'best_of', 'echo'],
  ...['parallel_tool_calls', 'logit_bias', 'modalities', 'audio', 'web_search_options', 'moderation', 'prediction'],
  ...['user', 'metadata', 'store', 'service_tier', 'safety_identifier', 'verbosity'],
  ...['prompt_cache_key', 'prompt_cache_options', 'prompt_cache_retention'],
])

/** The fields that are passed on unchanged, such as `keep_alive`. Ollama ignores unknown ones. */
export function passedOn(body: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(body).filter(([name, value]) => !spent.has(name) && value !== null))
}

/** The options that are not about the text of an answer: the request's own object, and those of its fields. */
export function modelOptionsOf(body: JsonObject): JsonObject {
  const given = sameOptions.filter((name) => body[name] !== undefined && body[name] !== null)
  return { ...objectAt(body, 'options'), ...Object.fromEntries(given.map((name) => [name, body[name]])) }
}

/** Ollama's `options`: the request's own object, overridden by the OpenAI fields. `limit` in tokens. */
export function optionsOf(body: JsonObject, limit: number): JsonObject {
  const own = objectAt(body, 'options') ?? {}
  const given = sameOptions.filter((name) => body[name] !== undefined && body[name] !== null)
  const penalty = valueIn(body, 'repetition') ?? valueIn(own, 'repetition')
  const seed = valueIn(body, 'seed') ?? valueIn(own, 'seed')
  const stop = [body, own].map((one) => stopsOf(valueIn(one, 'stop'))).find((stops) => stops.length > 0)
  return {
    ...without(own, 'limit', 'stop', 'repetition', 'seed'),
    ...(penalty !== undefined && { repeat_penalty: penalty }),
    ...(seed !== undefined && { seed }),
    ...Object.fromEntries(given.map((name) => [name, body[name]])),
    ...(stop && { stop }),
    num_predict: valueIn(body, 'limit') ?? valueIn(own, 'limit') ?? limit,
  }
}

/** Always a list: Ollama answers 500 to a string. */
function stopsOf(stop: unknown): readonly unknown[] {
  if (Array.isArray(stop)) return stop
  return typeof stop === 'string' && stop !== '' ? [stop] : []
}

const thinkLevels: Readonly<Record<string, boolean | string>> = {
  none: false,
  minimal: 'low',
  low: 'low',
  medium: 'medium',
  default: 'medium',
  high: 'high',
  max: 'max',
  xhigh: 'max',
  ultra: 'max',
}

/** `think` in the words of `reasoning_effort`, which Ollama's own `/v1` knows instead. */
export function effortOf(body: JsonObject): unknown {
  return valueAs('reasoning_effort', thinkOf(body))
}

/** Ollama's `think`; undefined unless the client set it, since a model that can't think answers 400 to it. */
export function thinkOf(body: JsonObject): unknown {
  const asked = valueAs('think', valueIn(body, 'thinking'))
  if (typeof asked !== 'string') return asked
  if (Object.hasOwn(thinkLevels, asked)) return thinkLevels[asked]
  const words = `Invalid value: '${shorten(asked)}'. Supported values are: ${listed(efforts)}.`
  throw invalid(words, body.reasoning_effort === undefined ? 'think' : 'reasoning_effort', 'invalid_value')
}

/** Values in OpenAI's words. */
export function listed(values: readonly string[]): string {
  const quoted = values.map((value) => `'${value}'`)
  return `${quoted.slice(0, -1).join(', ')}, and ${quoted.at(-1)}`
}

/** Ollama's `format`: `json`, or a JSON schema. */
export function formatOf(body: JsonObject): unknown {
  const format = objectAt(body, 'response_format')
  switch (format?.type) {
    case undefined:
    case 'text':
      return body.format
    case 'json_object':
      return schemaIn(format) ?? 'json'
    case 'json_schema':
      return objectAt(format, 'json_schema')?.schema ?? 'json'
    default:
      throw incapable('response_format')
  }
}

/** A 400 that names the parameter; another deployment may support it. */
export function incapable(param: string, why = 'Ollama has nothing that corresponds to it.'): GatewayError {
  return new GatewayError('incapable', `Unsupported parameter: '${param}'. ${why}`, { param })
}
