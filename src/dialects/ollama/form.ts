import { GatewayError } from '../../wire/errors.ts'
import { isObject, type JsonObject, objectAt, stringAt, tryParse } from '../../wire/json.ts'

/** What a line or a whole answer says. */
export interface Said {
  readonly content: string
  readonly thinking?: string
  readonly calls?: readonly JsonObject[]
}

/** Where an operation's answers have what they say. */
export interface Form {
  said(said: Said): JsonObject
  /** The fields of a line with nothing but text, which is JSON already. */
  text(json: string): string
}

export const chatForm: Form = {
  said: ({ content, thinking, calls = [] }) => ({
    message: {
      role: 'assistant',
      content,
      ...(thinking && { thinking }),
      ...(calls.length > 0 && { tool_calls: calls }),
    },
  }),
  text: (json) => `"message":{"role":"assistant","content":${json}}`,
}

export const generateForm: Form = {
  said: ({ content, thinking }) => ({ response: content, ...(thinking && { thinking }) }),
  text: (json) => `"response":${json}`,
}

/** What a delta or a message says, without its calls. */
export function saidIn(message: JsonObject): { readonly content: string; readonly thinking: string } {
  const { reasoning_content: own, reasoning, content, refusal } = message
  const thinking = [own, reasoning].find((thought) => typeof thought === 'string' && thought !== '')
  return { content: asText(content) + asText(refusal), thinking: asText(thinking) }
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** Calls also end with `stop`: clients look for the calls themselves. */
export function doneReason(finish: unknown): string {
  return typeof finish !== 'string' || /^(tool_calls|function_call)$/.test(finish) ? 'stop' : finish
}

/** A chat's calls with their arguments as objects. */
export interface Calls {
  readonly calls: readonly JsonObject[]
  /** Arguments that are no object. */
  readonly failure?: GatewayError
}

/** All calls up to the first that can't be told. In an answer that was cut, a call that isn't whole is left out. */
export function readCalls(given: unknown, finish: unknown): Calls {
  const calls: JsonObject[] = []
  for (const call of Array.isArray(given) ? given.filter(isObject) : []) {
    const called = objectAt(call, 'function')
    const name = stringAt(called, 'name') ?? ''
    const read = readArguments(called?.arguments)
    if (read) calls.push({ id: call.id, function: { index: calls.length, name, arguments: read } })
    else if (finish !== 'length') {
      const message = `The model called '${name}' with arguments that are no JSON object.`
      return { calls, failure: new GatewayError('protocol', message) }
    }
  }
  return { calls }
}

/** The same of a whole answer, which is none if one of them can't be told. */
export function callsOf(given: unknown, finish: unknown): readonly JsonObject[] {
  const { calls, failure } = readCalls(given, finish)
  if (failure) throw failure
  return calls
}

function readArguments(given: unknown): JsonObject | undefined {
  if (given === undefined || given === null || given === '') return {}
  const read = typeof given === 'string' ? tryParse(given) : given
  return isObject(read) ? read : undefined
}

/** The tokens of a chat's `logprobs`. */
export function logprobsIn(logprobs: unknown): JsonObject {
  const content = isObject(logprobs) ? logprobs.content : undefined
  if (!Array.isArray(content) || content.length === 0) return {}
  return { logprobs: content.filter(isObject).map(withOthers) }
}

function withOthers(token: JsonObject): JsonObject {
  const { top_logprobs: others } = token
  const top = Array.isArray(others) ? others.filter(isObject).map(tokenOf) : []
  return { ...tokenOf(token), ...(top.length > 0 && { top_logprobs: top }) }
}

function tokenOf({ token, logprob, bytes }: JsonObject): JsonObject {
  return { token, logprob, ...(Array.isArray(bytes) && { bytes }) }
}
