import { describe, invalid, type RequestBody } from '../wire/body.ts'
import { isObject, type JsonObject } from '../wire/json.ts'

type Check = { readonly expected: string; readonly fits: (value: unknown) => boolean }

const number: Check = { expected: 'a decimal', fits: (value) => typeof value === 'number' }
const integer: Check = { expected: 'an integer', fits: (value) => Number.isInteger(value) }
const boolean: Check = { expected: 'a boolean', fits: (value) => typeof value === 'boolean' }
const array: Check = { expected: 'an array', fits: Array.isArray }
const object: Check = { expected: 'an object', fits: isObject }
const stops: Check = {
  expected: 'a string or an array of strings',
  fits: (value) =>
    typeof value === 'string' || (Array.isArray(value) && value.every((stop) => typeof stop === 'string')),
}

/**
 * The types of fields with a settled meaning. Only wrong types are refused, since some servers answer them with a
 * plain-text 500; values, and fields not listed here, are left to the upstream.
 */
const sampling: Readonly<Record<string, Check>> = {
  stream: boolean,
  stream_options: object,
  temperature: number,
  top_p: number,
  presence_penalty: number,
  frequency_penalty: number,
  max_tokens: integer,
  n: integer,
  seed: integer,
  stop: stops,
  logit_bias: object,
}

const chatFields: Readonly<Record<string, Check>> = {
  ...sampling,
  max_completion_tokens: integer,
  top_logprobs: integer,
  logprobs: boolean,
  tools: array,
  functions: array,
  response_format: object,
  parallel_tool_calls: boolean,
}

/** Throws a 400 that names the field if a chat request is invalid. */
export function validateChat({ outline }: RequestBody): void {
  checkFields(outline, chatFields)
  const messages = outline.messages
  if (messages === undefined || messages === null) {
    throw invalid("Missing required parameter: 'messages'.", 'messages', 'missing_required_parameter')
  }
  if (!Array.isArray(messages)) throw wrongType('messages', 'an array of objects', messages)
  if (messages.length === 0) {
    throw invalid(
      "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
      'messages',
      'empty_array',
    )
  }
  messages.forEach(checkMessage)
}

/** Throws a 400 that names the field if a legacy completion request is invalid. */
export function validateCompletion({ outline }: RequestBody): void {
  checkFields(outline, sampling)
  const prompt = outline.prompt
  if (prompt === undefined || prompt === null || typeof prompt === 'string') return
  const fits =
    Array.isArray(prompt) &&
    (prompt.every((part) => typeof part === 'string') ||
      prompt.every((part) => Number.isInteger(part)) ||
      prompt.every((part) => Array.isArray(part) && part.every((token) => Number.isInteger(token))))
  if (!fits) throw wrongType('prompt', 'a string, an array of strings or an array of tokens', prompt)
}

function checkFields(json: JsonObject, fields: Readonly<Record<string, Check>>): void {
  for (const name in fields) {
    const value = json[name]
    const check = fields[name]
    if (value === undefined || value === null || !check || check.fits(value)) continue
    throw wrongType(name, check.expected, value)
  }
}

function checkMessage(message: unknown, index: number): void {
  const path = `messages[${index}]`
  if (!isObject(message)) throw wrongType(path, 'an object', message)
  const { role, content } = message
  if (role === undefined) {
    throw invalid(`Missing required parameter: '${path}.role'.`, `${path}.role`, 'missing_required_parameter')
  }
  if (typeof role !== 'string') throw wrongType(`${path}.role`, 'a string', role)
  const fits = content === undefined || content === null || typeof content === 'string' || Array.isArray(content)
  if (!fits) throw wrongType(`${path}.content`, 'a string or an array of objects', content)
  if (!Array.isArray(content)) return
  content.forEach((part, at) => {
    if (!isObject(part)) throw wrongType(`${path}.content[${at}]`, 'an object', part)
  })
}

export function wrongType(param: string, expected: string, value: unknown) {
  return invalid(
    `Invalid type for '${param}': expected ${expected}, but got ${describe(value)} instead.`,
    param,
    'invalid_type',
  )
}
