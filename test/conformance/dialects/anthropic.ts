import { readMessage } from '../../contract/read.ts'
import { pixel } from '../cases/said.ts'
import type { Got } from '../cells.ts'
import { anthropicErrorFault, eventsFault, eventsIn, messageFault, modelFault, modelsFault } from './anthropic-form.ts'
import { conversationCases } from './conversation.ts'
import {
  answerSchema,
  type Conversation,
  called,
  clientKey,
  type Dialect,
  type DialectAsk,
  most,
  type Question,
  weather,
} from './dialect.ts'
import { keyless, mistakes, unknown } from './errors.ts'
import { lookUp, whole } from './looked-up.ts'

/** More than the fewest tokens that Anthropic lets a model think with. */
const mostWithThoughts = 2048

function bodyOf({ text, system, tools, choice, result, schema, thinks, image, stops, ...rest }: Question) {
  return {
    max_tokens: rest.most ?? (thinks ? mostWithThoughts : most),
    messages: [{ role: 'user', content: image ? pictured(text) : text }, ...(result ? turnsOf(result) : [])],
    ...(system && { system: [{ type: 'text', text: system }] }),
    ...(tools && { tools: [{ name: weather.name, description: weather.description, input_schema: weather.schema }] }),
    ...(choice && { tool_choice: choice === 'any' ? { type: 'any' } : { type: 'tool', name: choice } }),
    ...(schema && { output_config: { format: { type: 'json_schema', schema: answerSchema } } }),
    ...(thinks ? { thinking: { type: 'enabled', budget_tokens: 1024 } } : { temperature: 0 }),
    ...(stops && { stop_sequences: stops }),
  }
}

function pictured(text: string): readonly object[] {
  const [, media_type, data] = /^data:(.*);base64,(.*)$/.exec(pixel) ?? []
  return [
    { type: 'image', source: { type: 'base64', media_type, data } },
    { type: 'text', text },
  ]
}

function turnsOf(result: string): readonly object[] {
  const id = 'toolu_1'
  return [
    { role: 'assistant', content: [{ type: 'tool_use', id, name: weather.name, input: called }] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: id, content: result }] },
  ]
}

const messages: Conversation = {
  path: () => '/v1/messages',
  streamType: 'text/event-stream; charset=utf-8',
  body: (question, streams) => ({ ...bodyOf(question), ...(streams && { stream: true }) }),
  wrong: { messages: 'hi' },
  required: ['model', 'messages', 'max_tokens'],
  formFault: ({ text, streamed }) => (streamed ? eventsFault(text) : messageFault(JSON.parse(text))),
  read: (text) => readMessage(text)[0],
  promptTokens: (text) => {
    const { usage } = text.startsWith('event: ') ? lastOf(text) : (JSON.parse(text) as Counted)
    return usage.input_tokens + usage.cache_read_input_tokens
  },
  // Only some servers tell which sequence it was; Anthropic's does.
  stopFault(got, { name }) {
    const { stop_reason: reason, stop_sequence: sequence } = endOf(got)
    const told = reason === 'stop_sequence' && sequence === ', 5'
    const untold = reason === 'end_turn' && sequence === null && !name.startsWith('anthropic')
    return told || untold ? undefined : `it stops for ${reason}: ${sequence}`
  },
  statuses: { rateLimit: 429, wrongKey: 502, down: 529 },
  // At these words Claude Code compacts the conversation.
  tooLong: /^prompt is too long/,
}

interface End {
  readonly stop_reason: string | null
  readonly stop_sequence: string | null
}

function endOf({ text, streamed }: Got): End {
  if (!streamed) return JSON.parse(text) as End
  return lastOf(text).delta
}

interface Counted {
  readonly usage: { readonly input_tokens: number; readonly cache_read_input_tokens: number }
}

/** The event that says how a message has ended. */
function lastOf(stream: string): Counted & { readonly delta: End } {
  const found: unknown = eventsIn(stream).find(({ type }) => type === 'message_delta')
  return found as Counted & { readonly delta: End }
}

const counted: DialectAsk = {
  about: 'a conversation',
  upstream: 'chat',
  path: '/v1/messages/count_tokens',
  body: { messages: [{ role: 'user', content: 'hi' }], system: 'Be brief.' },
  check({ text }) {
    const { input_tokens: count, ...others } = JSON.parse(text) as { input_tokens: number }
    return count > 0 && Object.keys(others).length === 0 ? undefined : text
  },
}

const list = lookUp('the list', '/v1/models', whole(modelsFault))
const one = lookUp('one of them', '/v1/models/{model}', whole(modelFault))

/** https://platform.claude.com/docs/en/api */
export const anthropic: Dialect = {
  name: 'Anthropic Messages',
  key: { 'x-api-key': clientKey },
  headers: { 'anthropic-version': '2023-06-01' },
  idHeaders: ['x-request-id', 'request-id'],
  errorFault: anthropicErrorFault,
  messageOf: (body) => (body as { error: { message: string } }).error.message,
  routes: {
    '/v1/messages': conversationCases(messages),
    '/v1/messages/count_tokens': {
      plain: () => [counted],
      errors: () =>
        mistakes(counted, unknown(counted), { invalid: { messages: 'hi' }, required: ['model', 'messages'] }),
    },
    '/v1/models': { plain: () => [list], errors: () => [keyless(list)] },
    '/v1/models/{model}': { plain: () => [one], errors: () => [unknown(one), keyless(one)] },
  },
}
