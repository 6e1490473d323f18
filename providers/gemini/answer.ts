import type { WireContext } from '../../src/core/provider.ts'
import { GatewayError } from '../../src/wire/errors.ts'
import { isObject, type JsonObject, objectAt, stringAt } from '../../src/wire/json.ts'
import { annotationsOf, hasSources } from './annotations.ts'
import { CandidateReader } from './candidate.ts'
import { logprobsOf } from './logprobs.ts'
import { usageOf } from './usage.ts'

/** Converts a whole answer of `generateContent` to OpenAI's. */
export function chatAnswer(answer: JsonObject, context: WireContext): JsonObject {
  const candidates = candidatesOf(answer)
  if (candidates.length === 0 && !isBlocked(answer)) {
    throw new GatewayError('protocol', 'Gemini sent an answer without candidates.')
  }
  return {
    ...headOf(answer, context),
    object: 'chat.completion',
    choices: candidates.length > 0 ? candidates.map((one, at) => choiceOf(one, at, context)) : [blockedChoice],
    usage: usageOf(answer),
  }
}

/** What an answer has in common with all chunks of a stream. */
export function headOf(answer: JsonObject, { id, created, model }: WireContext): JsonObject {
  return {
    id: stringAt(answer, 'responseId') || id,
    created,
    model: stringAt(answer, 'modelVersion') || model,
  }
}

export function candidatesOf({ candidates }: JsonObject): readonly JsonObject[] {
  return Array.isArray(candidates) ? candidates.filter(isObject) : []
}

/** Whether the prompt was blocked: then there are no candidates. OpenAI's clients know that as a filtered answer. */
export function isBlocked(answer: JsonObject): boolean {
  return stringAt(objectAt(answer, 'promptFeedback'), 'blockReason') !== undefined
}

const blockedChoice = {
  index: 0,
  message: { role: 'assistant', content: '', refusal: null },
  logprobs: null,
  finish_reason: 'content_filter',
}

function choiceOf(candidate: JsonObject, at: number, { random }: WireContext): JsonObject {
  const reader = new CandidateReader(random)
  const { thought, text, images, calls, details } = reader.read(candidate)
  const annotations = hasSources(candidate) ? annotationsOf(candidate, text) : []
  const message = {
    role: 'assistant',
    content: text === '' && calls.length > 0 ? null : text,
    refusal: null,
    ...(thought && { reasoning_content: thought }),
    ...(details.length > 0 && { reasoning_details: details }),
    ...(images.length > 0 && { images }),
    ...(annotations.length > 0 && { annotations }),
    ...(calls.length > 0 && { tool_calls: calls.map(({ index: _, ...call }) => call) }),
  }
  const index = typeof candidate.index === 'number' ? candidate.index : at
  return { index, message, logprobs: logprobsOf(candidate), finish_reason: reader.finish }
}
