import type { WireContext } from '../../core/wire-context.ts'
import { isObject, type JsonObject, objectAt, stringAt } from '../../wire/json.ts'
import { ChoiceIndexes } from '../repair/choice-indexes.ts'
import { CallPieces } from './call-pieces.ts'
import { merged } from './merge.ts'

interface Choice {
  readonly calls: CallPieces
  message: JsonObject
  text: string
  logprobs: JsonObject | null
  /** All other fields, the last value of each. */
  rest: JsonObject
}

/** The whole chat answer that the chunks of a stream amount to. */
export function accumulateChat(chunks: readonly JsonObject[], context: WireContext): JsonObject {
  return accumulated(chunks, context, 'chat.completion', (choice, index) => ({
    ...choice.rest,
    index,
    message: messageOf(choice),
    logprobs: choice.logprobs,
  }))
}

/** The whole legacy completion that the chunks of a stream amount to. */
export function accumulateCompletion(chunks: readonly JsonObject[], context: WireContext): JsonObject {
  return accumulated(chunks, context, 'text_completion', ({ rest, text, logprobs }, index) => ({
    ...rest,
    text,
    index,
    logprobs,
  }))
}

function accumulated(
  chunks: readonly JsonObject[],
  context: WireContext,
  object: string,
  wholeChoice: (choice: Choice, index: number) => JsonObject,
): JsonObject {
  const { id, created, model } = context
  const indexes = new ChoiceIndexes(context)
  const choices = new Map<number, Choice>()
  let head: JsonObject = {}
  for (const chunk of chunks) {
    const { choices: pieces, object: _, error: __, obfuscation: ___, ...rest } = chunk
    head = withValues(head, rest)
    const all = (Array.isArray(pieces) ? pieces : [pieces]).filter(isObject)
    for (const [at, piece] of all.entries()) addPiece(choices, indexes.next(piece, at, all.length), piece, context)
  }
  const { usage, ...named } = head
  return {
    ...named,
    id: head.id || id,
    object,
    created: head.created || created,
    model: head.model || model,
    choices: [...choices].sort(([one], [other]) => one - other).map(([index, choice]) => wholeChoice(choice, index)),
    ...(isObject(usage) && { usage }),
  }
}

function addPiece(choices: Map<number, Choice>, index: number, piece: JsonObject, { random }: WireContext): void {
  const { index: _, delta, message, text, logprobs, ...rest } = piece
  const choice = choices.get(index) ?? {
    calls: new CallPieces(random),
    message: {},
    text: '',
    logprobs: null,
    rest: {},
  }
  choices.set(index, choice)
  choice.rest = withValues(choice.rest, rest)
  if (typeof text === 'string') choice.text += text
  if (isObject(logprobs)) choice.logprobs = merged(choice.logprobs ?? {}, logprobs)
  // A server that ignores half of `stream` puts whole messages into its events; after deltas they only repeat them.
  const said = isObject(delta) ? delta : Object.keys(choice.message).length === 0 ? message : undefined
  if (!isObject(said)) return
  const { tool_calls: calls, ...fields } = said
  choice.calls.add(calls)
  choice.message = merged(choice.message, fields)
}

/** Later values win, but nothing replaces a value: many servers repeat their keys with null. */
function withValues(before: JsonObject, later: JsonObject): JsonObject {
  const entries = Object.entries(later).filter(([key, value]) => !(key in before) || (value !== null && value !== ''))
  return { ...before, ...Object.fromEntries(entries) }
}

function messageOf({ message, calls }: Choice): JsonObject {
  const { function_call: _, ...rest } = message
  const legacy = objectAt(message, 'function_call')
  const toolCalls = calls.whole()
  const called = toolCalls.length > 0 || legacy !== undefined
  return {
    ...rest,
    role: stringAt(message, 'role') || 'assistant',
    content: called ? message.content || null : (message.content ?? (message.refusal ? null : '')),
    refusal: message.refusal || null,
    ...(legacy && { function_call: legacy }),
    ...(toolCalls.length > 0 && { tool_calls: toolCalls }),
  }
}
