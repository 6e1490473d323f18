import {
  amount,
  anything,
  checkOf,
  count,
  flag,
  list,
  object,
  oneOf,
  orNull,
  type Schema,
  text,
} from './json-schema.ts'
import type { ResponseEvent } from './response.ts'

/** What Open Responses (openresponses.org) requires of a response and of its events. */
const status = oneOf('in_progress', 'completed', 'incomplete')
const part = {
  anyOf: [
    object({ type: oneOf('output_text'), text, annotations: list(anything), logprobs: list(anything) }),
    object({ type: oneOf('refusal'), refusal: text }),
    object({ type: oneOf('summary_text', 'reasoning_text'), text }),
  ],
}
const item = {
  anyOf: [
    object({ type: oneOf('message'), id: text, status, role: text, content: list(part) }),
    object({ type: oneOf('function_call'), id: text, call_id: text, name: text, arguments: text, status }),
    object(
      { type: oneOf('reasoning'), id: text, summary: list(part) },
      { content: list(part), encrypted_content: text },
    ),
  ],
}
const tool = object({
  type: oneOf('function'),
  name: text,
  description: orNull(text),
  parameters: orNull({ type: 'object' }),
  strict: orNull(flag),
})
const usage = object({
  input_tokens: count,
  output_tokens: count,
  total_tokens: count,
  input_tokens_details: object({ cached_tokens: count }),
  output_tokens_details: object({ reasoning_tokens: count }),
})

const resource = object({
  id: text,
  object: oneOf('response'),
  created_at: count,
  completed_at: orNull(count),
  status: text,
  incomplete_details: orNull(object({ reason: text })),
  model: text,
  previous_response_id: orNull(text),
  instructions: orNull(text),
  output: list(item),
  error: orNull(object({ code: text, message: text })),
  tools: list(tool),
  tool_choice: anything,
  truncation: oneOf('auto', 'disabled'),
  parallel_tool_calls: flag,
  text: object({}, { format: object({ type: text }), verbosity: oneOf('low', 'medium', 'high') }),
  top_p: amount,
  presence_penalty: amount,
  frequency_penalty: amount,
  top_logprobs: count,
  temperature: amount,
  reasoning: orNull(object({ effort: anything, summary: anything })),
  usage: orNull(usage),
  max_output_tokens: orNull(count),
  max_tool_calls: orNull(count),
  store: flag,
  background: flag,
  service_tier: text,
  metadata: anything,
  safety_identifier: orNull(text),
  prompt_cache_key: orNull(text),
})

const compacted = object({ type: oneOf('message'), id: text, status, role: text, content: list(anything) })

const compaction = object({
  id: text,
  object: oneOf('response.compaction'),
  created_at: count,
  output: list({ anyOf: [object({ type: oneOf('compaction'), id: text, encrypted_content: text }), compacted] }),
  usage,
})

const inItem = { item_id: text, output_index: count }
const inPart = { ...inItem, content_index: count }
const inSummary = { ...inItem, summary_index: count }
const logprobs = list(anything)

const fields: Readonly<Record<string, Readonly<Record<string, Schema>>>> = {
  created: { response: resource },
  queued: { response: resource },
  in_progress: { response: resource },
  completed: { response: resource },
  incomplete: { response: resource },
  failed: { response: resource },
  'output_item.added': { output_index: count, item: orNull(item) },
  'output_item.done': { output_index: count, item: orNull(item) },
  'content_part.added': { ...inPart, part },
  'content_part.done': { ...inPart, part },
  'output_text.delta': { ...inPart, delta: text, logprobs },
  'output_text.done': { ...inPart, text, logprobs },
  'output_text.annotation.added': { ...inPart, annotation_index: count, annotation: anything },
  'refusal.delta': { ...inPart, delta: text },
  'refusal.done': { ...inPart, refusal: text },
  'function_call_arguments.delta': { ...inItem, delta: text },
  'function_call_arguments.done': { ...inItem, arguments: text },
  'reasoning_summary_part.added': { ...inSummary, part },
  'reasoning_summary_part.done': { ...inSummary, part },
  'reasoning_summary_text.delta': { ...inSummary, delta: text },
  'reasoning_summary_text.done': { ...inSummary, text },
}

/** By the types of events. Others are none of Open Responses'. */
const eventSchemas: Readonly<Record<string, Schema>> = Object.fromEntries(
  Object.entries(fields).map(([name, own]) => [
    `response.${name}`,
    object({ type: text, sequence_number: count, ...own }),
  ]),
)

/** What a WebSocket says of a request that has no response: as it is documented for it, or as for a stream. */
const error = {
  anyOf: [
    object({ type: oneOf('error'), status: count, error: object({ code: text, message: text }, { type: text }) }),
    object({
      type: oneOf('error'),
      sequence_number: count,
      error: object({ type: text, code: orNull(text), message: text, param: orNull(text) }),
    }),
  ],
}

const checks = new Map(Object.entries({ ...eventSchemas, error }).map(([type, schema]) => [type, checkOf(schema)]))

export const resourceFault = checkOf(resource)
export const compactionFault = checkOf(compaction)

export function eventFault(event: ResponseEvent): string | undefined {
  const check = checks.get(event.type)
  if (!check) return `no such event: ${event.type}`
  const wrong = check(event)
  return wrong && `${event.type}: ${wrong}`
}
