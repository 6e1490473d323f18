import type { Signal } from '../../src/core/signal.ts'

export type JsonObject = { [key: string]: unknown }
export type Operation = 'chat' | 'completions'

export interface GenerateOptions {
  /** The value for `model` in the answer. */
  model: string
  id: string
  /** Seconds since 1970. */
  created: number
  /** Once aborted, generation throws its `reason` before the next token. */
  signal: Signal
  /** Uniform in [0, 1). Used for call ids, and for the seed if the request has none. */
  random: () => number
  /** Yields to the event loop; called whenever the work has taken some milliseconds. */
  pause: () => Promise<void>
  /** The time in milliseconds. */
  now: () => number
}

export interface Engine {
  /** Maximum tokens of prompt and answer together. */
  readonly contextWindow: number
  /** The number of tokens in the prompt of this body. Throws `EngineError` as the other two do. */
  countTokens(operation: Operation, body: JsonObject): number
  /** Yields `chat.completion.chunk` or `text_completion` objects. An `EngineError` is thrown by the call itself. */
  stream(operation: Operation, body: JsonObject, options: GenerateOptions): AsyncGenerator<JsonObject, void, void>
  /** A vector for each input, as one `list` of `embedding` objects. */
  embed(body: JsonObject, options: GenerateOptions): Promise<JsonObject>
  /** The whole answer as one `chat.completion` or `text_completion` object. */
  complete(operation: Operation, body: JsonObject, options: GenerateOptions): Promise<JsonObject>
}

/** A request that this engine cannot serve; `status`, `code` and `param` are those that OpenAI's API would return. */
export class EngineError extends Error {
  readonly status: number
  readonly code: string
  readonly param: string | null

  constructor(status: number, message: string, options: { code: string; param?: string | null }) {
    super(message)
    this.name = 'EngineError'
    this.status = status
    this.code = options.code
    this.param = options.param ?? null
  }
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The error for a value of the wrong type, or for none where there must be one. */
export function invalidType(param: string, expected: string, value: unknown): EngineError {
  if (value === undefined) return missing(param)
  const got = value === null ? 'null' : Array.isArray(value) ? 'an array' : aTypeOf(value)
  return new EngineError(400, `Invalid type for '${param}': expected ${expected}, but got ${got} instead.`, {
    code: 'invalid_type',
    param,
  })
}

export function missing(param: string): EngineError {
  return new EngineError(400, `Missing required parameter: '${param}'.`, { code: 'missing_required_parameter', param })
}

export function invalidValue(param: string, message: string): EngineError {
  return new EngineError(400, `Invalid value for '${param}': ${message}`, { code: 'invalid_value', param })
}

/** In tokens. The file allows more, but the model is served with this size elsewhere too. */
export const CONTEXT_WINDOW = 2048
/** Maximum characters of a prompt that are counted in tokens: far more than fit, but counting takes time too. */
const MOST_CHARACTERS = 256 * 1024

/** Throws if a text cannot fit into the context, before time is spent on its tokens. */
export function checkCharacters(length: number, param: string): void {
  if (length <= MOST_CHARACTERS) return
  throw new EngineError(
    400,
    `This model's maximum context length is ${CONTEXT_WINDOW} tokens. However, your ${param} resulted in ${length} characters. Please reduce the length of the ${param}.`,
    { code: 'context_length_exceeded', param },
  )
}

export function tooManyItems(param: string, most: number, length: number): EngineError {
  const message = `Invalid '${param}': array too long. Expected an array with maximum length ${most}, but got an array with length ${length} instead.`
  return new EngineError(400, message, { code: 'array_above_max_length', param })
}

export function unsupported(param: string, message: string): EngineError {
  return new EngineError(400, message, { code: 'unsupported_parameter', param })
}

function aTypeOf(value: unknown): string {
  const type = typeof value
  return type === 'object' ? 'an object' : `a ${type}`
}
