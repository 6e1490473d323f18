import { type JsonObject, objectAt } from '../../wire/json.ts'
import type { Content } from './content.ts'

/** What names an answer. */
export interface Head {
  readonly id: string
  readonly model: string
}

/** Why a chat has ended. */
export interface End {
  readonly finish: unknown
  /** The stop sequence that did it, by servers that tell. */
  readonly stop: unknown
  readonly usage: JsonObject | undefined
}

/** A message with what is known of it; without an end, as it begins. */
export function messageOf({ id, model }: Head, content: Content, asked: JsonObject, end?: End): JsonObject {
  return {
    model,
    id,
    type: 'message',
    role: 'assistant',
    content: end ? content.blocks : [],
    ...(end ? stopOf(end, content, asked) : { stop_reason: null, stop_sequence: null }),
    usage: usageOf(end?.usage ?? {}),
  }
}

/** The fields that say why a message has ended. */
export function stopOf({ finish, stop }: End, { calls, refused }: Content, asked: JsonObject): JsonObject {
  const { stop_sequences: sequences } = asked
  if (finish === 'stop' && typeof stop === 'string' && Array.isArray(sequences) && sequences.includes(stop)) {
    return { stop_reason: 'stop_sequence', stop_sequence: stop }
  }
  const reason = refused || finish === 'content_filter' ? 'refusal' : finish === 'length' ? 'max_tokens' : undefined
  const details = reason === 'refusal' && { stop_details: { type: 'refusal', category: null, explanation: null } }
  return { stop_reason: reason ?? (calls ? 'tool_use' : 'end_turn'), stop_sequence: null, ...details }
}

/** Anthropic counts what came from the cache, and what was written to it, apart from the rest of the input. */
export function usageOf(usage: JsonObject): JsonObject {
  const ins = objectAt(usage, 'prompt_tokens_details')
  const outs = objectAt(usage, 'completion_tokens_details')
  const cached = numberOf(ins?.cached_tokens)
  const written = numberOf(ins?.cache_write_tokens)
  return {
    input_tokens: Math.max(0, numberOf(usage.prompt_tokens) - cached - written),
    cache_creation_input_tokens: written,
    cache_read_input_tokens: cached,
    output_tokens: numberOf(usage.completion_tokens),
    ...(typeof outs?.reasoning_tokens === 'number' && {
      output_tokens_details: { thinking_tokens: outs.reasoning_tokens },
    }),
  }
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0
}
