import { type JsonObject, objectAt } from '../wire/json.ts'
import type { Price } from './provider.ts'

/** The tokens of one answer, whatever the names that its API has for them. */
export interface Tokens {
  /** All of the prompt, those included that were read from a cache or written to one. */
  readonly input: number
  /** All of the answer, those of its reasoning included. */
  readonly output: number
  /** Of `input`, those that were read from a cache. */
  readonly cached: number
  /** Of `output`. */
  readonly reasoning: number
}

/**
 * Reads usage as OpenAI's chat and Responses, Anthropic, Gemini or Ollama tell it. Undefined if it says nothing of tokens.
 */
export function tokensOf(usage: JsonObject): Tokens | undefined {
  const { prompt_tokens: prompt, completion_tokens: completion, input_tokens: input, output_tokens: output } = usage
  if (typeof prompt === 'number' || typeof completion === 'number') {
    return {
      input: numberOf(prompt),
      output: numberOf(completion),
      cached: detail(usage, 'prompt_tokens_details', 'cached_tokens'),
      reasoning: detail(usage, 'completion_tokens_details', 'reasoning_tokens'),
    }
  }
  if (typeof input === 'number' || typeof output === 'number') {
    // Anthropic counts what concerns its cache beside the input, OpenAI within it.
    const read = numberOf(usage.cache_read_input_tokens)
    return {
      input: numberOf(input) + read + numberOf(usage.cache_creation_input_tokens),
      output: numberOf(output),
      cached: read + detail(usage, 'input_tokens_details', 'cached_tokens'),
      reasoning: detail(usage, 'output_tokens_details', 'reasoning_tokens'),
    }
  }
  const { promptTokenCount, candidatesTokenCount, thoughtsTokenCount, cachedContentTokenCount } = usage
  if (typeof promptTokenCount === 'number') {
    const thoughts = numberOf(thoughtsTokenCount)
    return {
      input: promptTokenCount,
      output: numberOf(candidatesTokenCount) + thoughts,
      cached: numberOf(cachedContentTokenCount),
      reasoning: thoughts,
    }
  }
  const { prompt_eval_count: read, eval_count: written } = usage
  if (typeof read !== 'number' && typeof written !== 'number') return undefined
  return { input: numberOf(read), output: numberOf(written), cached: 0, reasoning: 0 }
}

/** In US dollars. */
export function costOf({ input, output }: Tokens, price: Price): number {
  return (input * price.input + output * price.output) / 1_000_000
}

function detail(usage: JsonObject, group: string, name: string): number {
  return numberOf(objectAt(usage, group)?.[name])
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0
}
