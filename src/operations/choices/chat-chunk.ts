import type { WireContext } from '../../core/provider.ts'
import type { JsonObject } from '../../wire/json.ts'
import { eventText } from '../../wire/sse.ts'

/**
 * The event for a piece of a chat's answer, for providers with a stream format of their own. OpenAI's streams begin with
 * the role, end with a `finish` and an empty delta, and then `[DONE]`.
 */
export function chatChunk(
  { id, created, model }: WireContext,
  delta: JsonObject,
  finish: string | null = null,
): string {
  const choices = [{ index: 0, delta, logprobs: null, finish_reason: finish }]
  return eventText({ id, object: 'chat.completion.chunk', created, model, choices })
}
