import type { WireContext } from '../../src/core/provider.ts'
import { GatewayError } from '../../src/wire/errors.ts'
import { isObject, type JsonObject, objectAt, stringAt } from '../../src/wire/json.ts'
import type { ReasoningDetail } from '../../src/wire/reasoning-details.ts'
import { answerTool, formOf } from './format.ts'
import { traitsOf } from './models.ts'
import { tierOf, usageOf } from './usage.ts'

/** Converts a whole message to OpenAI's answer. https://platform.claude.com/docs/en/api/messages */
export function messageAnswer(answer: JsonObject, context: WireContext): JsonObject {
  const { content, stop_reason: reason } = answer
  if (!Array.isArray(content)) throw new GatewayError('protocol', 'Anthropic sent an answer without content.')
  const blocks = content.filter(isObject)
  const { id, created, model } = context
  const usage = objectAt(answer, 'usage') ?? {}
  const told = isAnswerCall(context)
  const given = blocks.find(told)
  const message = {
    role: 'assistant',
    ...saidIn(given ? blocks.filter(({ type }) => type !== 'text') : blocks, given),
    ...callsIn(blocks.filter((block) => !told(block))),
    refusal: refusalOf(answer),
  }
  return {
    id,
    object: 'chat.completion',
    created,
    model: stringAt(answer, 'model') || model,
    choices: [{ index: 0, message, logprobs: null, finish_reason: finishOf(reason, given !== undefined) }],
    ...tierOf(usage),
    usage: usageOf(usage),
  }
}

/** What tells the call that is the answer itself from others. */
export function isAnswerCall({ body, model }: WireContext): (block: JsonObject) => boolean {
  return formOf(body, traitsOf(model)).tool
    ? ({ type, name }) => type === 'tool_use' && name === answerTool
    : () => false
}

function saidIn(blocks: readonly JsonObject[], given: JsonObject | undefined): JsonObject {
  const texts = blocks.filter(({ type }) => type === 'text')
  const text = given ? JSON.stringify(given.input) : texts.map((block) => stringAt(block, 'text') ?? '').join('')
  const calls = blocks.some(({ type }) => type === 'tool_use')
  const thoughts = blocks.filter(({ type }) => type === 'thinking').map((block) => stringAt(block, 'thinking') ?? '')
  const thought = thoughts.filter((one) => one !== '').join('\n\n')
  const details = blocks.filter(isThought).flatMap((block, index) => detailOf(block, index) ?? [])
  const annotations = citedIn(texts)
  return {
    content: text === '' && calls && !given ? null : text,
    ...(thought !== '' && { reasoning_content: thought }),
    ...(details.length > 0 && { reasoning_details: details }),
    ...(annotations.length > 0 && { annotations }),
  }
}

export function isThought({ type }: JsonObject): boolean {
  return type === 'thinking' || type === 'redacted_thinking'
}

const format = 'anthropic-claude-v1'

/** What goes back with the next request: a thought with its signature, or one that can't be read. */
export function detailOf(block: JsonObject, index: number): ReasoningDetail | undefined {
  const { type, signature, data, thinking } = block
  if (type === 'redacted_thinking') return { type: 'reasoning.encrypted', data: String(data), format, index }
  if (!signature && !thinking) return undefined
  return {
    type: 'reasoning.text',
    ...(typeof thinking === 'string' && thinking !== '' && { text: thinking }),
    ...(typeof signature === 'string' && signature !== '' && { signature }),
    format,
    index,
  }
}

function callsIn(blocks: readonly JsonObject[]): JsonObject {
  const calls = blocks.filter(({ type }) => type === 'tool_use')
  if (calls.length === 0) return {}
  return {
    tool_calls: calls.map(({ id, name, input }) => ({
      id,
      type: 'function',
      function: { name, arguments: JSON.stringify(input ?? {}) },
    })),
  }
}

/** The pages that a text cites, each with the place of what rests on it. */
function citedIn(texts: readonly JsonObject[]): JsonObject[] {
  let at = 0
  return texts.flatMap((block) => {
    const start = at
    at += (stringAt(block, 'text') ?? '').length
    return annotationsOf(block.citations, start, at)
  })
}

/** OpenAI's annotations for citations of pages; those of documents have no form there. */
export function annotationsOf(citations: unknown, start: number, end: number): JsonObject[] {
  if (!Array.isArray(citations)) return []
  return citations.filter(isObject).flatMap(({ url, title }) => {
    if (typeof url !== 'string') return []
    return [
      { type: 'url_citation', url_citation: { start_index: start, end_index: end, url, title: String(title ?? '') } },
    ]
  })
}

/** What Claude's classifiers say about a refusal. */
export function refusalOf({ stop_reason: reason, stop_details: details }: JsonObject): string | null {
  return reason === 'refusal' ? (stringAt(details, 'explanation') ?? null) : null
}

/** https://platform.claude.com/docs/en/build-with-claude/handling-stop-reasons */
const reasons: Readonly<Record<string, string>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  tool_use: 'tool_calls',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  // The rest of a long turn is to be asked for.
  pause_turn: 'length',
  refusal: 'content_filter',
}

/** `given`: whether the call was the answer itself. */
export function finishOf(reason: unknown, given: boolean): string {
  const finish = typeof reason === 'string' && Object.hasOwn(reasons, reason) ? reasons[reason] : undefined
  return finish === undefined || (given && finish === 'tool_calls') ? 'stop' : finish
}
