import { invalid, type RequestBody } from '../../wire/body.ts'
import {
  aBoolean,
  aNumber,
  anArray,
  anInteger,
  anObject,
  aText,
  aVoice,
  checkTypes,
  type FieldType,
  textOrList,
} from '../common/fields.ts'

const fields: Readonly<Record<string, FieldType>> = {
  input: textOrList,
  instructions: textOrList,
  previous_response_id: aText,
  conversation: aVoice,
  stream: aBoolean,
  store: aBoolean,
  background: aBoolean,
  parallel_tool_calls: aBoolean,
  max_output_tokens: anInteger,
  temperature: aNumber,
  top_p: aNumber,
  tools: anArray,
  include: anArray,
  text: anObject,
  reasoning: anObject,
  metadata: anObject,
}

/** What may stand for an input. */
const sources = ['input', 'previous_response_id', 'conversation', 'prompt']

/** Throws the 400 for a request that is about a response and has no input, or fields of the wrong type. */
export function checkResponse({ outline }: RequestBody): void {
  checkTypes(outline, fields)
  if (sources.some((name) => outline[name] !== undefined && outline[name] !== null)) return
  throw invalid("Missing required parameter: 'input'.", 'input', 'missing_required_parameter')
}
