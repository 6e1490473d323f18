import { isObject } from '../../wire/json.ts'

const known: ReadonlySet<unknown> = new Set(['stop', 'length', 'tool_calls', 'content_filter', 'function_call'])

/** Finish reasons of other APIs that don't mean `stop`, in lower case. Any that is not listed does. */
const meanings: Readonly<Record<string, 'length' | 'tool_calls' | 'content_filter'>> = {
  // Anthropic, and z.AI: genkit-ai/genkit#6259
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'tool_calls',
  refusal: 'content_filter',
  sensitive: 'content_filter',
  // Mistral: docs.mistral.ai/api, `model_length`
  model_length: 'length',
  // DeepSeek: api-docs.deepseek.com, and vLLM, which aborts what it can't go on with. The answer is cut.
  insufficient_system_resource: 'length',
  abort: 'length',
  // Gemini and Vertex AI, by their documentation, in capitals as `STOP` in BerriAI/litellm#27139
  max_output_tokens: 'length',
  safety: 'content_filter',
  recitation: 'content_filter',
  blocklist: 'content_filter',
  prohibited_content: 'content_filter',
  spii: 'content_filter',
  // Bedrock, by its documentation; not seen on a compatible server
  content_filtered: 'content_filter',
  guardrail_intervened: 'content_filter',
  // Variants of the words above; no server is known to say them.
  max_new_tokens: 'length',
  tool_call: 'tool_calls',
}

/** Said in each chunk as long as there is no reason: sgl-project/sglang#3912, ollama/ollama#4357; `null` as a text. */
const none: ReadonlySet<string> = new Set(['', 'null', 'none'])

/** Reasons that say that the answer failed: OpenRouter, Mistral, vLLM (maximhq/bifrost#5425); z.AI. */
const failures: ReadonlySet<string> = new Set(['error', 'network_error'])

/** Google, whose compatible routes say `function_call_filter: MALFORMED_FUNCTION_CALL`: googleapis/python-genai#1836 */
const malformedCall = /\bmalformed_function_call$/i

/** The same routes say `content_filter: PROHIBITED_CONTENT`. */
const filtered = /^content_filter:/

/** A finish reason as a text; SGLang's own route has it as an object with a `type`. Empty: there is none. */
function wordOf(given: unknown): string {
  const value = isObject(given) ? given.type : given
  const word = value === undefined || value === null ? '' : String(value).trim()
  return none.has(word.toLowerCase()) ? '' : word
}

/** Whether a choice is over. */
export function isFinish(given: unknown): boolean {
  return known.has(given) || wordOf(given) !== ''
}

/** Whether a finish reason says that the answer failed. */
export function isFailure(given: unknown): boolean {
  return !known.has(given) && failures.has(wordOf(given).toLowerCase())
}

/**
 * Whether a finish reason says that the model tried to make a call that can't be read. What it wrote before is an answer;
 * without any, it failed, and its next try may be well-formed.
 */
export function isMalformedCall(given: unknown): boolean {
  return !known.has(given) && malformedCall.test(wordOf(given))
}

/** A finish reason of the specification, or null while there is none. `called`: whether there were tool calls. */
export function finishReason(given: unknown, called: boolean): unknown {
  if (isFailure(given)) return given
  const word = wordOf(given)
  if (word === '') return null
  const lower = word.toLowerCase()
  if (filtered.test(lower)) return 'content_filter'
  const reason = known.has(lower) ? lower : Object.hasOwn(meanings, lower) ? meanings[lower] : 'stop'
  if (reason === 'tool_calls') return called || known.has(given) ? reason : 'stop'
  return reason === 'stop' && called ? 'tool_calls' : reason
}

/** The legacy route has no reason for calls. */
export function legacyReason(given: unknown): unknown {
  const reason = finishReason(given, false)
  return reason === 'tool_calls' || reason === 'function_call' ? 'stop' : reason
}
