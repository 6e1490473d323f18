import type { GatewayError } from '../../wire/errors.ts'
import { isObject, type JsonObject, objectAt } from '../../wire/json.ts'
import { isWhole } from './check.ts'

/** What a request asks for beside its texts, in chat's terms. */
export interface Settings {
  readonly fields: JsonObject
  /** What no chat has, for `x-samewire-dropped`. */
  readonly dropped: readonly string[]
}

/**
 * The names of `options` in chat: OpenAI's, else those that vLLM, llama.cpp and others have for them. They are hints,
 * which most clients send unasked.
 */
const names: Readonly<Record<string, string>> = {
  temperature: 'temperature',
  top_p: 'top_p',
  seed: 'seed',
  presence_penalty: 'presence_penalty',
  frequency_penalty: 'frequency_penalty',
  top_k: 'top_k',
  min_p: 'min_p',
  typical_p: 'typical_p',
  repeat_penalty: 'repetition_penalty',
  repeat_last_n: 'repeat_last_n',
  mirostat: 'mirostat',
  mirostat_tau: 'mirostat_tau',
  mirostat_eta: 'mirostat_eta',
}

/** The fields that may be left out where an upstream refuses them. */
export const hints: readonly string[] = [...Object.values(names), 'repeat_penalty', 'reasoning_effort']

/** Options with a place of their own. */
const placed: ReadonlySet<string> = new Set(['num_predict', 'stop'])

export function settingsOf(body: JsonObject): Settings {
  const { model, stream, think, keep_alive: kept, truncate, shift } = body
  const options = Object.entries(objectAt(body, 'options') ?? {})
    .filter(([, value]) => value !== null)
    .map(([name, value]) => [name, typeof value === 'number' && isWhole(name) ? Math.trunc(value) : value] as const)
  const known = options.filter(([name]) => Object.hasOwn(names, name))
  const unknown = options.filter(([name]) => !Object.hasOwn(names, name) && !placed.has(name))
  const streams = stream !== false
  return {
    fields: {
      ...(model !== undefined && { model }),
      ...Object.fromEntries(known.map(([name, value]) => [names[name], value])),
      ...limitsOf(Object.fromEntries(options)),
      ...formatOf(body.format),
      ...(think !== undefined && think !== null && { reasoning_effort: effortOf(think) }),
      ...logprobsOf(body),
      ...(streams && { stream: true, stream_options: { include_usage: true } }),
    },
    dropped: [
      ...unknown.map(([name]) => `options.${name}`),
      ...(given(kept) ? ['keep_alive'] : []),
      ...(given(truncate) ? ['truncate'] : []),
      ...(given(shift) ? ['shift'] : []),
    ],
  }
}

/** A negative `num_predict` is no limit. */
function limitsOf({ num_predict: limit, stop }: JsonObject): JsonObject {
  return {
    ...(typeof limit === 'number' && limit > 0 && { max_tokens: limit }),
    ...(Array.isArray(stop) && stop.length > 0 && { stop }),
  }
}

/** `json`, or a schema; an empty text is none. */
function formatOf(format: unknown): JsonObject {
  if (format === 'json') return { response_format: { type: 'json_object' } }
  if (!isObject(format)) return {}
  return { response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: format } } }
}

function effortOf(think: unknown): unknown {
  return typeof think === 'boolean' ? (think ? 'medium' : 'none') : think
}

function logprobsOf({ logprobs, top_logprobs: top }: JsonObject): JsonObject {
  if (logprobs !== true) return {}
  return { logprobs: true, ...(typeof top === 'number' && top > 0 && { top_logprobs: top }) }
}

function given(value: unknown): boolean {
  return value !== undefined && value !== null
}

/** Ollama's names for what a chat calls otherwise, where the words of a failure have them. */
const own: readonly (readonly [RegExp, string])[] = [
  [/\bmax_(completion_)?tokens\b/g, 'num_predict'],
  [/\breasoning_effort\b/g, 'think'],
  [/\bresponse_format\b/g, 'format'],
  [/\brepetition_penalty\b/g, 'repeat_penalty'],
]

/** A chat's failure in the terms of Ollama's API. */
export function inOwnTerms(failure: GatewayError): GatewayError {
  const renamed = (text: string) => own.reduce((said, [pattern, name]) => said.replace(pattern, name), text)
  const { param, message } = failure
  return failure.inTermsOf(param === null ? null : renamed(param), renamed(message))
}
