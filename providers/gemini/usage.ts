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
  const heard = audioIn(told.promptTokensDetails)
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: count(told.totalTokenCount) || prompt + completion,
    prompt_tokens_details: {
      cached_tokens: count(told.cachedContentTokenCount),
      ...(heard && { audio_tokens: heard }),
    },
    completion_tokens_details: { reasoning_tokens: thoughts },
  }
}

function audioIn(details: unknown): number {
  const audio = Array.isArray(details) && details.find((one) => isObject(one) && one.modality === 'AUDIO')
  return isObject(audio) ? count(audio.tokenCount) : 0
}

function count(value: unknown): number {
  return typeof value === 'number' ? value : 0
}
