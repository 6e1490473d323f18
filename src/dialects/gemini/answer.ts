import { isObject, type JsonObject, objectAt } from '../../wire/json.ts'
import { objectIn } from './fields.ts'
import type { Turn } from './turn.ts'

/** What names an answer. */
export interface Head {
  readonly modelVersion: string
  readonly responseId: string
}

/** A whole answer. `turnFor`: one for each choice. https://ai.google.dev/api/generate-content#GenerateContentResponse */
export function wholeAnswer(answer: JsonObject, head: Head, turnFor: () => Turn): JsonObject {
  const choices = Array.isArray(answer.choices) ? answer.choices.filter(isObject) : []
  const candidates = choices.map((choice, at) => {
    const turn = turnFor()
    const parts = turn.add(objectAt(choice, 'message') ?? {})
    const { parts: last, reason } = turn.finish(choice.finish_reason)
    const index = typeof choice.index === 'number' ? choice.index : at
    return candidateOf([...parts, ...last], { ...reason, index, ...logprobsIn(choice.logprobs) })
  })
  return { candidates, usageMetadata: usageOf(objectAt(answer, 'usage')), ...head }
}

export function candidateOf(parts: readonly JsonObject[], more: JsonObject): JsonObject {
  return { content: { parts, role: 'model' }, ...more }
}

/** Gemini counts thoughts apart from the answer. https://ai.google.dev/api/generate-content#UsageMetadata */
export function usageOf(usage: JsonObject = {}): JsonObject {
  const prompt = numberOf(usage.prompt_tokens)
  const thoughts = numberOf(objectAt(usage, 'completion_tokens_details')?.reasoning_tokens)
  const cached = numberOf(objectAt(usage, 'prompt_tokens_details')?.cached_tokens)
  const completion = numberOf(usage.completion_tokens)
  return {
    promptTokenCount: prompt,
    candidatesTokenCount: Math.max(0, completion - thoughts),
    totalTokenCount: numberOf(usage.total_tokens) || prompt + completion,
    ...(thoughts > 0 && { thoughtsTokenCount: thoughts }),
    ...(cached > 0 && { cachedContentTokenCount: cached }),
  }
}

/** https://ai.google.dev/api/generate-content#LogprobsResult */
export function logprobsIn(logprobs: unknown): JsonObject {
  const content = isObject(logprobs) && Array.isArray(logprobs.content) ? logprobs.content.filter(isObject) : []
  if (content.length === 0) return {}
  const sum = content.reduce((all, { logprob }) => all + numberOf(logprob), 0)
  return {
    avgLogprobs: sum / content.length,
    logprobsResult: {
      topCandidates: content.map(({ top_logprobs: top }) => ({
        candidates: Array.isArray(top) ? top.filter(isObject).map(tokenOf) : [],
      })),
      chosenCandidates: content.map(tokenOf),
    },
  }
}

function tokenOf({ token, logprob }: JsonObject): JsonObject {
  return { token, logProbability: logprob }
}

/** Whether the client wants to see thoughts. */
export function wantsThoughts(asked: JsonObject): boolean {
  return objectIn(objectIn(asked, 'generationConfig'), 'thinkingConfig').includeThoughts === true
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0
}
