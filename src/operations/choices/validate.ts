import { invalid, type RequestBody } from '../../wire/body.ts'
import { isObject, type JsonObject } from '../../wire/json.ts'
import {
  aBoolean,
  aNumber,
  anArray,
  anInteger,
  anObject,
  checkBounds,
  checkTypes,
  type FieldType,
  wrongType,
} from '../common/fields.ts'

const stops: FieldType = {
  expected: 'a string or an array of strings',
  fits: (value) =>
    typeof value === 'string' || (Array.isArray(value) && value.every((stop) => typeof stop === 'string')),
}

/**
 * The types of fields with a settled meaning. Only wrong types are refused, since some servers answer them with a
 * plain-text 500; values, and fields not listed here, are left to the upstream. `n` is an exception: servers that ignore
 * it take any.
 */
const sampling: Readonly<Record<string, FieldType>> = {
  stream: aBoolean,
  stream_options: anObject,
  temperature: aNumber,
  top_p: aNumber,
  presence_penalty: aNumber,
  frequency_penalty: aNumber,
  max_tokens: anInteger,
  n: anInteger,
  seed: anInteger,
  stop: stops,
  logit_bias: anObject,
}

const chatFields: Readonly<Record<string, FieldType>> = {
  ...sampling,
  max_completion_tokens: anInteger,
  top_logprobs: anInteger,
  logprobs: aBoolean,
  tools: anArray,
  functions: anArray,
  response_format: anObject,
  parallel_tool_calls: aBoolean,
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

/** Throws the 400 for a field with a wrong value. */
function checkFields(json: JsonObject, fields: Readonly<Record<string, FieldType>>): void {
  checkTypes(json, fields)
  // The specification's own bounds.
  checkBounds('n', json.n, choicesBounds)
}

const choicesBounds = { least: 1, most: 128 }

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
