import type { Operation } from '../core/operation.ts'
import { invalid, type RequestBody } from '../wire/body.ts'
import {
  aBoolean,
  aNumber,
  anArray,
  anInteger,
  anObject,
  checkTypes,
  type FieldType,
  textOrList,
} from './common/fields.ts'
import { missing } from './common/missing.ts'
import { usageIn } from './common/usage.ts'
import { responsesDemand } from './responses/demand.ts'
import { overChat } from './responses/over-chat.ts'
import { ResponsesReader } from './responses/reader.ts'

const fields: Readonly<Record<string, FieldType>> = {
  input: textOrList,
  instructions: textOrList,
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

/** OpenAI's API since 2025. A model that only chats serves it too. */
export const responses: Operation = {
  name: 'responses',
  path: '/responses',
  routes: ['/responses'],
  prompt: 'input',
  check,
  query: responsesDemand,
  fault: missing('output', 'list'),
  usage: usageIn,
  over: overChat,
  reader: (asked) => new ResponsesReader(asked),
}

function check({ outline }: RequestBody): void {
  checkTypes(outline, fields)
  if (sources.some((name) => outline[name] !== undefined && outline[name] !== null)) return
  throw invalid("Missing required parameter: 'input'.", 'input', 'missing_required_parameter')
}
