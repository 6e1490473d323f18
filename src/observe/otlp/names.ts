/**
 * The names of the conventions for generative AI: those in the field, up to version 1.36, and the newest, which a setting
 * chooses. Undefined: there is none. https://github.com/open-telemetry/semantic-conventions-genai
 */
const both = {
  operation: ['gen_ai.operation.name', 'gen_ai.operation.name'],
  provider: ['gen_ai.system', 'gen_ai.provider.name'],
  requestModel: ['gen_ai.request.model', 'gen_ai.request.model'],
  stream: [undefined, 'gen_ai.request.stream'],
  maxTokens: ['gen_ai.request.max_tokens', 'gen_ai.request.max_tokens'],
  temperature: ['gen_ai.request.temperature', 'gen_ai.request.temperature'],
  topP: ['gen_ai.request.top_p', 'gen_ai.request.top_p'],
  frequencyPenalty: ['gen_ai.request.frequency_penalty', 'gen_ai.request.frequency_penalty'],
  presencePenalty: ['gen_ai.request.presence_penalty', 'gen_ai.request.presence_penalty'],
  seed: ['gen_ai.request.seed', 'gen_ai.request.seed'],
  choices: ['gen_ai.request.choice.count', 'gen_ai.request.choice.count'],
  stop: ['gen_ai.request.stop_sequences', 'gen_ai.request.stop_sequences'],
  reasoning: [undefined, 'gen_ai.request.reasoning.level'],
  responseModel: ['gen_ai.response.model', 'gen_ai.response.model'],
  responseId: ['gen_ai.response.id', 'gen_ai.response.id'],
  finishReasons: ['gen_ai.response.finish_reasons', 'gen_ai.response.finish_reasons'],
  firstChunk: [undefined, 'gen_ai.response.time_to_first_chunk'],
  input: ['gen_ai.usage.input_tokens', 'gen_ai.usage.input_tokens'],
  output: ['gen_ai.usage.output_tokens', 'gen_ai.usage.output_tokens'],
  cached: [undefined, 'gen_ai.usage.cache_read.input_tokens'],
  thought: [undefined, 'gen_ai.usage.reasoning.output_tokens'],
} as const

export type Names = Readonly<Record<keyof typeof both, string | undefined>>

export function namesOf(latest: boolean): Names {
  const column = latest ? 1 : 0
  return Object.fromEntries(Object.entries(both).map(([what, names]) => [what, names[column]])) as Names
}

/** The conventions' names for operations, where they have another than ours. */
const operations: Readonly<Record<string, string>> = { completions: 'text_completion', responses: 'chat' }

export function operationName(operation: string): string {
  return operations[operation] ?? operation
}
