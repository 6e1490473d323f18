import type { ChatResponse, GenerateResponse } from 'ollama/browser'
import type { WireContext } from '../../src/core/provider.ts'
import { GatewayError } from '../../src/wire/errors.ts'
import { toolCallId } from '../../src/wire/ids.ts'
import { isObject, type JsonObject, objectAt, stringAt } from '../../src/wire/json.ts'
import { speaksOfFunctions } from './request.ts'

/** The field names that are read here, checked against the client's types. */
type Field = keyof ChatResponse | keyof GenerateResponse

/** Converts a whole answer of `/api/chat` to OpenAI's. */
export function chatAnswer(answer: JsonObject, context: WireContext): JsonObject {
  checkDone(answer)
  const said = objectAt(answer, 'message' satisfies Field)
  if (!said) throw new GatewayError('protocol', 'Ollama sent an answer without a message.')
  const calls = toolCalls(said, context)
  const called = calledAs(calls, speaksOfFunctions(context.body))
  const content = stringAt(said, 'content') ?? ''
  const thinking = stringAt(said, 'thinking')
  const message = {
    role: 'assistant',
    content: content === '' && calls.length > 0 ? null : content,
    refusal: null,
    ...(thinking && { reasoning_content: thinking }),
    ...called.fields,
  }
  return {
    id: context.id,
    object: 'chat.completion',
    created: context.created,
    model: servedModel(answer, context),
    choices: [{ index: 0, message, logprobs: logprobsOf(answer), finish_reason: finishOf(answer, called.finish) }],
    usage: usageOf(answer),
  }
}

/** Converts a whole answer of `/api/generate` to a legacy completion. */
export function completionAnswer(answer: JsonObject, context: WireContext): JsonObject {
  checkDone(answer)
  const text = stringAt(answer, 'response' satisfies Field)
  if (text === undefined) throw new GatewayError('protocol', 'Ollama sent an answer without a response.')
  return {
    id: context.id,
    object: 'text_completion',
    created: context.created,
    model: servedModel(answer, context),
    choices: [{ text, index: 0, logprobs: null, finish_reason: finishOf(answer) }],
    usage: usageOf(answer),
  }
}

/** Ollama sometimes sends one piece of its stream where a whole answer was asked for: the rest is lost. */
function checkDone(answer: JsonObject): void {
  if (answer['done' satisfies Field] !== false) return
  throw new GatewayError('protocol', 'Ollama sent an answer that it had not finished (`done` is false).')
}

/** The model that Ollama reports, else the requested one. */
export function servedModel(answer: JsonObject, { model }: WireContext): string {
  return stringAt(answer, 'model' satisfies Field) || model
}

/** OpenAI's tool calls for Ollama's. No index: a whole answer has none, and in a stream Ollama's own may repeat. */
export function toolCalls(message: JsonObject, { random }: WireContext): JsonObject[] {
  const calls = Array.isArray(message.tool_calls) ? message.tool_calls.filter(isObject) : []
  return calls.map((call) => {
    const called = objectAt(call, 'function')
    const given = called?.arguments ?? {}
    return {
      id: stringAt(call, 'id') || toolCallId(random),
      type: 'function',
      function: {
        name: stringAt(called, 'name') ?? '',
        arguments: typeof given === 'string' ? given : JSON.stringify(given),
      },
    }
  })
}

interface Called {
  readonly fields: JsonObject
  readonly finish?: string
}

/** Calls in the client's format. The legacy format (`function_call`) has room for the first call only. */
export function calledAs(calls: readonly JsonObject[], legacy: boolean): Called {
  const [first] = calls
  if (!first) return { fields: {} }
  if (!legacy) return { fields: { tool_calls: calls }, finish: 'tool_calls' }
  return { fields: { function_call: first.function }, finish: 'function_call' }
}

/** `called` is the reason if there were calls: Ollama says `stop` for those too. */
export function finishOf(answer: JsonObject, called = 'stop'): string {
  return answer['done_reason' satisfies Field] === 'length' ? 'length' : called
}

export function logprobsOf(answer: JsonObject): JsonObject | null {
  const tokens = answer['logprobs' satisfies Field]
  if (!Array.isArray(tokens) || tokens.length === 0) return null
  const content = tokens.filter(isObject).map((token) => ({
    ...tokenLogprob(token),
    top_logprobs: Array.isArray(token.top_logprobs) ? token.top_logprobs.filter(isObject).map(tokenLogprob) : [],
  }))
  return { content, refusal: null }
}

function tokenLogprob({ token, logprob, bytes }: JsonObject): JsonObject {
  return { token, logprob, bytes: bytes ?? null }
}

/** Counts that Ollama omits are zero. */
export function usageOf(answer: JsonObject): JsonObject {
  const prompt = count(answer['prompt_eval_count' satisfies Field])
  const completion = count(answer['eval_count' satisfies Field])
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 0 },
  }
}

function count(value: unknown): number {
  return typeof value === 'number' ? value : 0
}
