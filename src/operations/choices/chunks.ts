import type { Naming, StreamOptions } from '../../core/operation.ts'
import { toolCallId } from '../../wire/ids.ts'
import { isObject, type JsonObject, objectAt, stringAt } from '../../wire/json.ts'
import { argumentsText } from '../repair/calls.ts'

/** The chunks of a chat stream that says what a whole answer says. */
export function chatChunks(answer: JsonObject, naming: Naming, options: StreamOptions): JsonObject[] {
  return chunksOf(answer, naming, options, 'chat.completion.chunk', (choice) => {
    const { message, logprobs = null, finish_reason: reason, ...rest } = choice
    const deltas = isObject(message) ? deltasOf(message, naming) : []
    // The probabilities belong to the words.
    const worded = deltas.findIndex((delta) => delta.content || delta.refusal)
    const called = deltas.some((delta) => 'tool_calls' in delta)
    return [
      ...deltas.map((delta, at) => ({ delta, logprobs: at === worded ? logprobs : null, finish_reason: null })),
      { ...rest, delta: {}, logprobs: null, finish_reason: reason || (called ? 'tool_calls' : 'stop') },
    ]
  })
}

/** The chunks of a stream of the legacy route. */
export function completionChunks(answer: JsonObject, naming: Naming, options: StreamOptions): JsonObject[] {
  return chunksOf(answer, naming, options, 'text_completion', (choice) => {
    const { text, logprobs = null, finish_reason: reason, ...rest } = choice
    return [
      { text, logprobs, finish_reason: null },
      { ...rest, text: '', logprobs: null, finish_reason: reason || 'stop' },
    ]
  })
}

function chunksOf(
  answer: JsonObject,
  { id, created, model }: Naming,
  { usage: wantsUsage }: StreamOptions,
  object: string,
  pieces: (choice: JsonObject) => readonly JsonObject[],
): JsonObject[] {
  const { choices, usage, ...rest } = answer
  const head = {
    ...rest,
    id: answer.id || id,
    object,
    created: answer.created || created,
    model: answer.model || model,
  }
  const given = Array.isArray(choices) ? choices.filter(isObject) : []
  const chunks = given.flatMap((choice, at) => {
    const index = typeof choice.index === 'number' ? choice.index : at
    return pieces(choice).map((piece) => ({
      ...head,
      choices: [{ ...piece, index }],
      ...(wantsUsage && { usage: null }),
    }))
  })
  return wantsUsage ? [...chunks, { ...head, choices: [], usage: isObject(usage) ? usage : null }] : chunks
}

/** One delta for each field of a message: clients that look at one field of a delta only would miss a second. */
function deltasOf(message: JsonObject, naming: Naming): JsonObject[] {
  const { role, content, tool_calls: calls, function_call: legacy, refusal, ...others } = message
  const fields = Object.entries({ ...others, content: textOf(content), refusal }).filter(([, value]) => isFilled(value))
  const list = (Array.isArray(calls) ? calls : [calls]).filter(isObject)
  return [
    { role: role || 'assistant', content: '' },
    ...fields.map(([key, value]) => ({ [key]: value })),
    ...(isObject(legacy) ? [{ function_call: legacy }] : []),
    ...list.map((call, index) => ({ tool_calls: [callPiece(call, index, naming)] })),
  ]
}

function isFilled(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : value !== undefined && value !== null && value !== ''
}

/** A delta's content is a text; a list of other parts stays as it is. */
function textOf(content: unknown): unknown {
  if (!Array.isArray(content)) return content
  const texts = content.map((part) => stringAt(part, 'text'))
  return texts.every((text) => text !== undefined) ? texts.join('') : content
}

function callPiece(call: JsonObject, index: number, { random }: Naming): JsonObject {
  const called = objectAt(call, 'function') ?? {}
  return {
    ...call,
    index,
    id: call.id || toolCallId(random),
    type: 'function',
    function: { ...called, arguments: argumentsText(called.arguments) },
  }
}
