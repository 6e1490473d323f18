import type { RequestBody } from '../../wire/body.ts'
import { GatewayError } from '../../wire/errors.ts'
import { isObject, type JsonObject, objectAt, stringAt } from '../../wire/json.ts'
import type { ReasoningFormat } from '../../wire/reasoning-details.ts'
import { wrongType } from '../common/fields.ts'
import { requiredIn } from './content.ts'
import { messagesFor, noConversation, notStored } from './input.ts'
import { bringingTools, type GivenTool, Tools, toolsAt } from './tools.ts'

/** A request for a response as a chat. */
export interface AsChat {
  readonly chat: JsonObject
  readonly tools: Tools
  /** What was left out, for `x-samewire-dropped`. */
  readonly dropped: readonly string[]
}

/** Fields with another name, form or place in chat, or none: those that are only echoed, or that say nothing there. */
const own: ReadonlySet<string> = new Set(
  ['input', 'instructions', 'max_output_tokens', 'reasoning', 'text', 'tools', 'tool_choice', 'parallel_tool_calls']
    .concat(['include', 'top_logprobs', 'previous_response_id', 'conversation', 'prompt', 'background', 'store'])
    .concat([
      'truncation',
      'max_tool_calls',
      'metadata',
      'context_management',
      'client_metadata',
      'stream_options',
      'n',
    ]),
)

/**
 * Throws a `GatewayError` for what no chat can do. Fields that are unknown here go on as they are. `reads`: the formats
 * of thoughts that the model reads.
 */
export function toChat(body: JsonObject, reads: readonly ReasoningFormat[] = []): AsChat {
  refuseState(body)
  const tools = new Tools(offeredIn(body))
  const { messages, dropped } = messagesFor(body, tools, reads)
  if (messages.length === 0 && dropped.length > 0) {
    const message = `Unsupported parameter: 'input' holds nothing that this model can read, only ${dropped.map((name) => name.replace('input.', '')).join(', ')}.`
    throw new GatewayError('incapable', message, { param: 'input' })
  }
  const { effort } = objectAt(body, 'reasoning') ?? {}
  const { format, verbosity } = objectAt(body, 'text') ?? {}
  const kept = Object.entries(body).filter(([name, value]) => !own.has(name) && value !== null)
  const chat = {
    ...Object.fromEntries(kept),
    messages,
    ...(given(body.max_output_tokens) && { max_completion_tokens: body.max_output_tokens }),
    ...(given(effort) && { reasoning_effort: effort }),
    ...(given(verbosity) && { verbosity }),
    ...formatOf(format),
    ...logprobsOf(body),
    ...tools.fields(body),
    ...(body.stream === true && { stream_options: { include_usage: true } }),
  }
  return { chat, tools, dropped: [...tools.dropped, ...dropped, ...unmet(body)] }
}

/** The fields that ask for more than is done. */
function unmet({ truncation, context_management: management, n }: JsonObject): readonly string[] {
  const wishes = { truncation: truncation === 'auto', context_management: given(management), n: Number(n) > 1 }
  return Object.entries(wishes).flatMap(([name, isWished]) => (isWished ? [name] : []))
}

/** Chat's names for what the client calls otherwise. */
const names: readonly (readonly [RegExp, string])[] = [
  [/^messages\b.*$/s, 'input'],
  [/^max_(completion_)?tokens$/, 'max_output_tokens'],
  [/^reasoning_effort$/, 'reasoning.effort'],
  [/^verbosity$/, 'text.verbosity'],
  [/^response_format\b.*$/s, 'text.format'],
  [/^(tools|tool_choice)\b.*$/s, '$1'],
  [/^logprobs$/, 'include'],
]

/** Where the words of a failure name one of them. */
const named =
  /(?<=['"`])(?:messages|tools|tool_choice|response_format)\b[\w.[\]]*(?=['"`])|\b(?:max_(?:completion_)?tokens|reasoning_effort|response_format)\b/g

/** A chat's failure in the terms of a request for a response. */
export function inOwnTerms(failure: GatewayError): GatewayError {
  const { param, message } = failure
  return failure.inTermsOf(param === null ? null : ownName(param), message.replace(named, ownName))
}

function ownName(name: string): string {
  return names.reduce((renamed, [pattern, own]) => renamed.replace(pattern, own), name)
}

/** All tools, also those that came in the middle of a conversation. */
function offeredIn({ tools, input }: JsonObject): readonly GivenTool[] {
  const brought = listOf(input).flatMap((item, at) =>
    isObject(item) && bringingTools.has(item.type) ? toolsAt(item.tools, `input[${at}].tools`) : [],
  )
  return [...toolsAt(tools, 'tools'), ...brought]
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/**
 * Whether a request holds tools that a server with responses refuses or takes for others, as those of Codex
 * (vllm-project/vllm#42475, openai/codex#26234). What such a server has stored no translation could find.
 */
export function bringsUnknownTools({ outline }: RequestBody, taken: RegExp): boolean {
  if (storing.some((name) => given(outline[name]))) return false
  const isUnknown = (tool: unknown) => !taken.test(stringAt(tool, 'type') ?? '')
  const isBringing = (item: unknown) => bringingTools.has(stringAt(item, 'type'))
  return listOf(outline.tools).some(isUnknown) || listOf(outline.input).some(isBringing)
}

/** The fields that refer to what is stored. */
const storing = ['previous_response_id', 'conversation', 'prompt']

/** What needs a store, which the gateway doesn't have. */
function refuseState({ previous_response_id: previous, conversation, prompt, background }: JsonObject): void {
  if (given(previous)) {
    throw notStored(`Previous response with id '${String(previous)}' not found.`, 'previous_response_id')
  }
  if (given(conversation)) {
    const id = isObject(conversation) ? requiredIn(conversation, 'id', 'conversation') : conversation
    throw noConversation(id)
  }
  if (given(prompt)) throw unsupported('prompt')
  if (background === true) throw unsupported('background')
}

function unsupported(param: string): GatewayError {
  return new GatewayError('incapable', `Unsupported parameter: '${param}' is not supported with this model.`, { param })
}

function formatOf(format: unknown): JsonObject {
  if (!given(format)) return {}
  if (!isObject(format)) throw wrongType('text.format', 'an object', format)
  if (format.type === 'text') return {}
  if (format.type !== 'json_schema') return { response_format: format }
  const { type, ...schema } = format
  return { response_format: { type, json_schema: schema } }
}

/** Whether the client wants the probabilities of an answer's tokens. */
export function wantsLogprobs({ include, top_logprobs: top }: JsonObject): boolean {
  return Number(top) > 0 || (Array.isArray(include) && include.includes('message.output_text.logprobs'))
}

function logprobsOf(body: JsonObject): JsonObject {
  if (!wantsLogprobs(body)) return {}
  return { logprobs: true, ...(given(body.top_logprobs) && { top_logprobs: body.top_logprobs }) }
}

function given(value: unknown): boolean {
  return value !== undefined && value !== null
}
