import { isObject, type JsonObject, objectAt } from '../../src/wire/json.ts'

/**
 * OpenAI's usage for Gemini's `usageMetadata`, which counts thoughts apart from the answer, and what its own tools read
 * apart from the prompt. https://ai.google.dev/api/generate-content#UsageMetadata
 */
export function usageOf(answer: JsonObject): JsonObject {
  const told = objectAt(answer, 'usageMetadata') ?? {}
  const thoughts = count(told.thoughtsTokenCount)
  const prompt = count(told.promptTokenCount) + count(told.toolUsePromptTokenCount)
  const completion = count(told.candidatesTokenCount) + thoughts
  const heard = partOf(told.promptTokensDetails, 'AUDIO')
  const cached = partOf(told.cacheTokensDetails, 'AUDIO')
  const spoken = partOf(told.candidatesTokensDetails, 'AUDIO')
  const drawn = partOf(told.candidatesTokensDetails, 'IMAGE')
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: count(told.totalTokenCount) || prompt + completion,
    prompt_tokens_details: {
      cached_tokens: count(told.cachedContentTokenCount),
      ...(heard && { audio_tokens: heard }),
      ...(cached && { cached_tokens_details: { audio_tokens: cached } }),
    },
    completion_tokens_details: {
      reasoning_tokens: thoughts,
      ...(spoken && { audio_tokens: spoken }),
      ...(drawn && { image_tokens: drawn }),
    },
  }
}

function partOf(details: unknown, modality: string): number {
  const part = Array.isArray(details) && details.find((one) => isObject(one) && one.modality === modality)
  return isObject(part) ? count(part.tokenCount) : 0
}

function count(value: unknown): number {
  return typeof value === 'number' ? value : 0
}
