import type { WireContext } from '../../core/wire-context.ts'
import { equal, isObject, type JsonObject } from '../../wire/json.ts'
import { toldError } from '../../wire/told-error.ts'
import { callsIn, wholeCalls } from './calls.ts'
import { headOf, indexOf, kindOf } from './head.ts'
import { isEmptyChoice, withText } from './parts.ts'
import { finishReason, isFinish, isMalformedCall, legacyReason } from './reasons.ts'

/** A whole answer put right; the same object if nothing is wrong with it. */
export function mendAnswer(answer: JsonObject, context: WireContext): JsonObject {
  if (isPlain(answer)) return answer
  const mended = mend(answer, context)
  const isSound = isBare(answer) ? contains(mended, answer) : equal(mended, answer)
  return isSound ? answer : withNulls(mended)
}

/** Whether it is an answer as nearly all are, for which nothing needs to be made and compared. */
function isPlain({ id, object, created, model, choices, error }: JsonObject): boolean {
  return (
    error === undefined &&
    object === 'chat.completion' &&
    Boolean(id && model) &&
    typeof id === 'string' &&
    typeof model === 'string' &&
    Number.isInteger(created) &&
    Array.isArray(choices) &&
    choices.every(isPlainChoice)
  )
}

function isPlainChoice(choice: unknown, at: number): boolean {
  if (!isObject(choice) || choice.index !== at) return false
  const { message, finish_reason: reason } = choice
  return (
    (reason === 'stop' || reason === 'length') &&
    isObject(message) &&
    message.role === 'assistant' &&
    typeof message.content === 'string' &&
    message.tool_calls === undefined &&
    message.function_call === undefined
  )
}

/** Nothing but messages: a server that leaves out all the rest is not made to say more, only to say it right. */
function isBare({ id, object, created, model, choices }: JsonObject): boolean {
  const said =
    Array.isArray(choices) && choices.some((choice) => isObject(choice) && choice.finish_reason !== undefined)
  return !said && [id, object, created, model].every((value) => value === undefined)
}

/** Whether a value has all that `part` has, and perhaps more keys. */
function contains(whole: unknown, part: unknown): boolean {
  if (Array.isArray(part))
    return Array.isArray(whole) && whole.length === part.length && part.every((value, at) => contains(whole[at], value))
  if (!isObject(part)) return whole === part
  return isObject(whole) && Object.keys(part).every((key) => key in whole && contains(whole[key], part[key]))
}

/** The same, with the keys that OpenAI always sends and few clients miss. */
export function completeAnswer(answer: JsonObject, context: WireContext): JsonObject {
  return withNulls(mend(answer, context))
}

function mend(answer: JsonObject, context: WireContext): JsonObject {
  const { choices, ...others } = answer
  // One that is no error, such as null, is not worth a change.
  const rest = others.error ? without(others) : others
  // An error or an invalid answer is not repaired: the caller reports it to the client.
  if (!Array.isArray(choices) || toldError(answer) !== undefined) return answer
  const texts = choices.some((choice) => isObject(choice) && 'text' in choice && !isObject(choice.message))
  return {
    ...rest,
    ...headOf(answer, context),
    object: kindOf(answer.object, texts ? 'text_completion' : 'chat.completion'),
    choices: choices.filter(isObject).map((choice, at, { length }) => {
      const index = length === 1 ? 0 : (indexOf(choice.index) ?? at)
      return mendChoice(choice, index, context)
    }),
  }
}

function without({ error: _, ...rest }: JsonObject): JsonObject {
  return rest
}

function mendChoice(sent: JsonObject, index: number, context: WireContext): JsonObject {
  const choice = withMessage(sent)
  const { finish_reason: given } = choice
  if (!isObject(choice.message)) {
    // A whole answer is over, whatever it says.
    return 'text' in choice ? { ...choice, index, finish_reason: legacyReason(given) ?? 'stop' } : choice
  }
  const message = mendMessage(choice.message, context)
  const called = Array.isArray(message.tool_calls) && message.tool_calls.length > 0
  // A failure is not repaired: it is reported.
  const isFailed = isMalformedCall(given) && isEmptyChoice({ message })
  const reason = isFailed ? given : (finishReason(given ?? 'stop', called) ?? ending(called))
  return { ...choice, index, message, finish_reason: reason }
}

/**
 * A stream's only chunk has all of the answer in its delta, if it says that it is over. Google's compatible routes leave
 * out the message of an answer that they filter.
 */
function withMessage(choice: JsonObject): JsonObject {
  const { delta, ...rest } = choice
  const isNothing = delta === undefined && choice.message === undefined && !('text' in choice)
  if (isNothing && finishReason(choice.finish_reason, false) === 'content_filter') {
    return { ...choice, message: { role: 'assistant', content: '' } }
  }
  return isObject(delta) && !isObject(choice.message) && isFinish(choice.finish_reason)
    ? { ...rest, message: delta }
    : choice
}

const ending = (called: boolean) => (called ? 'tool_calls' : 'stop')

function mendMessage(given: JsonObject, { random }: WireContext): JsonObject {
  const { tool_calls: calls, function_call: called, ...rest } = given
  const message = withText(rest)
  return {
    ...message,
    role: 'assistant',
    content: message.content ?? null,
    ...(called !== null && called !== undefined && { function_call: called }),
    ...(Array.isArray(calls) && calls.length === 0 && { tool_calls: calls }),
    ...(callsIn(calls).length > 0 && { tool_calls: wholeCalls(calls, random) }),
  }
}

function withNulls(answer: JsonObject): JsonObject {
  if (!Array.isArray(answer.choices)) return answer
  return { ...answer, choices: answer.choices.map((choice: JsonObject) => completed(choice)) }
}

function completed(choice: JsonObject): JsonObject {
  const { message } = choice
  return {
    ...choice,
    logprobs: choice.logprobs ?? null,
    ...(isObject(message) && { message: { ...message, refusal: message.refusal ?? null } }),
  }
}
