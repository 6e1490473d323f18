import { isObject } from '../wire/json.ts'

const always = () => true
const empty = (value: unknown) => Array.isArray(value) && value.length === 0

/** Fields without which an answer means the same, as long as their value is one of these. */
const spare: Readonly<Record<string, (value: unknown) => boolean>> = {
  stream_options: always,
  store: always,
  metadata: always,
  user: always,
  service_tier: always,
  prompt_cache_key: always,
  prompt_cache_options: always,
  prompt_cache_retention: always,
  safety_identifier: always,
  verbosity: always,
  reasoning_effort: (value) => value === 'none',
  // What every server does without it, where there are tools.
  tool_choice: (value) => value === 'auto',
  tools: empty,
  functions: empty,
  response_format: (value) => isObject(value) && value.type === 'text',
  parallel_tool_calls: (value) => value === true,
  logprobs: (value) => value === false,
  top_logprobs: (value) => value === 0,
  logit_bias: (value) => isObject(value) && Object.keys(value).length === 0,
}

/** Whether a request says the same without this field. A null says nothing. */
export function isSpare(name: string, value: unknown): boolean {
  if (value === null) return true
  return Object.hasOwn(spare, name) && spare[name]?.(value) === true
}
