import type { JsonObject } from '../../src/wire/json.ts'
import { objectAt } from '../../src/wire/json.ts'

/**
 * OpenAI's counts for Anthropic's, whose `input_tokens` are those that neither came from the cache nor went into it.
 * https://platform.claude.com/docs/en/build-with-claude/prompt-caching#tracking-cache-performance
 */
export function usageOf(usage: JsonObject): JsonObject {
  const read = count(usage.cache_read_input_tokens)
  const written = count(usage.cache_creation_input_tokens)
  const prompt = count(usage.input_tokens) + read + written
  const completion = count(usage.output_tokens)
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: read, cache_write_tokens: written, ...keptLonger(usage) },
    completion_tokens_details: { reasoning_tokens: count(objectAt(usage, 'output_tokens_details')?.thinking_tokens) },
  }
}

/** Of what was written to the cache, what stays for an hour, which costs more. LiteLLM's name, as OpenAI has none. */
function keptLonger(usage: JsonObject): JsonObject {
  const long = count(objectAt(usage, 'cache_creation')?.ephemeral_1h_input_tokens)
  return long > 0 ? { cache_creation_token_details: { ephemeral_1h_input_tokens: long } } : {}
}

function count(value: unknown): number {
  return typeof value === 'number' ? value : 0
}

const tiers: Readonly<Record<string, string>> = { standard: 'default', priority: 'priority', batch: 'batch' }

/** OpenAI's word for the tier that served the request. */
export function tierOf({ service_tier: tier }: JsonObject): JsonObject {
  return typeof tier === 'string' && Object.hasOwn(tiers, tier) ? { service_tier: tiers[tier] } : {}
}
