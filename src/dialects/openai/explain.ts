import type { Operation } from '../../core/operation.ts'
import { operations } from '../../operations/all.ts'
import type { OperationName } from '../../operations/facts.ts'
import { invalid, type RequestBody } from '../../wire/body.ts'
import { errorEnvelope } from '../../wire/errors.ts'
import { isObject, type JsonObject } from '../../wire/json.ts'
import type { InferenceRoute } from '../dialect.ts'
import { chatOf } from './cursor.ts'
import { explainAddress } from './operation-routes.ts'

/** Answers any inference request with what would be done with it. */
export const explainRoute: InferenceRoute = {
  ...explainAddress,
  explains: true,
  request(given, _, url) {
    const operation = operationOf(given, url)
    const { body } = operation === operations.chat ? chatOf(given) : { body: given }
    operation.check(body)
    return { operation, body }
  },
  refuse: errorEnvelope,
}

/** The operation that the address names, or the one whose request the body is. */
function operationOf({ outline }: RequestBody, url: string | undefined): Operation {
  const named = url === undefined ? null : new URL(url).searchParams.get('operation')
  if (named === null) {
    const has = (name: string) => Object.hasOwn(outline, name)
    if (has('messages')) return operations.chat
    if (isForResponse(outline)) return operations.responses
    return has('prompt') ? operations.completions : has('input') ? operations.embeddings : operations.chat
  }
  if (Object.hasOwn(operations, named)) return operations[named as OperationName]
  const allowed = Object.keys(operations).join(', ')
  throw invalid(`Invalid value for 'operation': expected one of ${allowed}.`, 'operation', 'invalid_value')
}

/** Fields that requests for a response have, and none with an `input` of another kind. */
const ofResponses = ['instructions', 'tools', 'tool_choice', 'reasoning', 'text', 'max_output_tokens', 'include']
  .concat(['previous_response_id', 'conversation', 'store', 'background', 'truncation', 'temperature', 'top_p'])
  .concat(['parallel_tool_calls', 'stream'])

function isForResponse(outline: JsonObject): boolean {
  const { input, prompt } = outline
  if (isObject(prompt)) return true
  if (input === undefined) return outline.previous_response_id !== undefined
  const isOfItems = Array.isArray(input) && input.some(isItem)
  return isOfItems || ofResponses.some((name) => Object.hasOwn(outline, name))
}

/** What is embedded or moderated has no role, and is a text or an image. */
function isItem(value: unknown): boolean {
  return isObject(value) && (value.role !== undefined || /message|call|reasoning|reference/.test(String(value.type)))
}
