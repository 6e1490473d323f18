import type { Wire, WireContext } from '../../core/provider.ts'
import { chain } from '../../core/stages.ts'
import type { Emit, Stage } from '../../core/stream.ts'
import { synonyms, without } from '../../core/synonyms.ts'
import { GatewayError } from '../../wire/errors.ts'
import { isObject, type JsonObject, objectAt, stringAt } from '../../wire/json.ts'
import { done, EventReader, frame, parseEvent, type ServerEvent } from '../../wire/sse.ts'
import { toldError } from '../../wire/told-error.ts'
import { mendAnswer } from '../repair/answer.ts'
import { repairStream } from '../repair/index.ts'
import { legacyReason } from '../repair/reasons.ts'

/** Legacy completions in the format of an upstream's chat. */
export function completionsWire(chat: Wire): Wire {
  const inner = (outer: WireContext): WireContext => {
    const { body, model, id, created, random, contextWindow, maxOutput } = outer
    const leftOut = (param: string) => outer.leftOut?.(param)
    return { body: toChat(body), model, id, created, random, contextWindow, maxOutput, leftOut }
  }
  return {
    encode: (context) => chat.encode?.(inner(context)) ?? toChat(context.body),
    decode(answer, context) {
      const told = inner(context)
      return toCompletion(mendAnswer(chat.decode?.(answer, told) ?? answer, told), context)
    },
    stream(context) {
      const told = inner(context)
      return chain(chat.stream?.(told) ?? repairStream(told), toCompletionChunks(context))
    },
  }
}

function toChat(body: JsonObject): JsonObject {
  const { prompt, echo: _, suffix: __, logprobs: ___, best_of: ____, ...rest } = body
  // Keeps the old default of 16 tokens, which clients of this route expect if they set no limit.
  const name = synonyms.limit.find((one) => (rest[one] ?? undefined) !== undefined) ?? 'max_tokens'
  const limited = { ...without(rest, 'limit'), [name]: rest[name] ?? 16 }
  return { ...limited, messages: [{ role: 'user', content: onlyPrompt(prompt) }] }
}

function onlyPrompt(prompt: unknown): string {
  const only = Array.isArray(prompt) && prompt.length === 1 ? prompt[0] : (prompt ?? '')
  if (typeof only === 'string') return only
  throw new GatewayError(
    'incapable',
    'Unsupported parameter: more than one prompt, or a prompt of tokens, is not supported with this model.',
    { param: 'prompt' },
  )
}

function toCompletion(answer: JsonObject, { id, created, model }: WireContext): JsonObject {
  const { choices } = answer
  // An error or an invalid answer is not translated: the caller reports it to the client.
  if (!Array.isArray(choices)) return answer
  return {
    id,
    object: 'text_completion',
    created: answer.created ?? created,
    model: answer.model ?? model,
    choices: choices.map((choice, index) => ({
      text: stringAt(objectAt(choice, 'message'), 'content') ?? '',
      index: isObject(choice) ? (choice.index ?? index) : index,
      logprobs: null,
      finish_reason: legacyReason(isObject(choice) ? choice.finish_reason : undefined),
      ...errorOf(choice),
    })),
    ...(answer.usage !== undefined && { usage: answer.usage }),
  }
}

/** The error of a single choice stays with it, so that the answer is seen to have failed. */
function errorOf(choice: unknown): JsonObject {
  return isObject(choice) && toldError(choice) !== undefined ? { error: choice.error } : {}
}

function toCompletionChunks(context: WireContext): Stage {
  const reader = new EventReader()
  const pass = (events: readonly ServerEvent[], emit: Emit) => {
    for (const event of events) {
      const bytes = toCompletionChunk(event, context)
      if (bytes) emit(bytes)
    }
  }
  return {
    chunk: (bytes, emit) => pass(reader.read(bytes), emit),
    end: (emit) => pass(reader.end(), emit),
  }
}

function toCompletionChunk({ data }: ServerEvent, { id, created, model }: WireContext): Uint8Array | undefined {
  if (data === '[DONE]') return done
  const chunk = parseEvent(data)
  if (!isObject(chunk)) return undefined
  if (toldError(chunk) !== undefined) return frame(chunk)
  const choices = Array.isArray(chunk.choices) ? chunk.choices : []
  return frame({
    id,
    object: 'text_completion',
    created: chunk.created ?? created,
    model: chunk.model ?? model,
    choices: choices.map((choice, index) => ({
      text: stringAt(objectAt(choice, 'delta'), 'content') ?? '',
      index: isObject(choice) ? (choice.index ?? index) : index,
      logprobs: null,
      finish_reason: legacyReason(isObject(choice) ? choice.finish_reason : undefined),
      ...errorOf(choice),
    })),
    ...(chunk.usage !== undefined && { usage: chunk.usage }),
  })
}
