import { anything, checkOf, count, list, object, oneOf, orNull, type Schema, text } from '../json-schema.ts'

const usage = object({
  input_tokens: count,
  cache_creation_input_tokens: orNull(count),
  cache_read_input_tokens: orNull(count),
  output_tokens: count,
})
const reasons = oneOf('end_turn', 'max_tokens', 'stop_sequence', 'tool_use', 'pause_turn', 'refusal')

const block = {
  anyOf: [
    object({ type: oneOf('text'), text }),
    object({ type: oneOf('thinking'), thinking: text, signature: { type: 'string', minLength: 1 } }),
    object({ type: oneOf('redacted_thinking'), data: text }),
    object({ type: oneOf('tool_use'), id: text, name: text, input: { type: 'object' } }),
  ],
}

const message = (more: Readonly<Record<string, Schema>>) =>
  object({
    ...{ id: text, type: oneOf('message'), role: oneOf('assistant'), model: text, stop_sequence: orNull(text), usage },
    ...more,
  })

/** A whole message: https://platform.claude.com/docs/en/api/messages */
export const messageFault = checkOf(message({ content: list(block), stop_reason: reasons }))

const opening = {
  anyOf: [
    object({ type: oneOf('text'), text: oneOf('') }),
    object({ type: oneOf('thinking'), thinking: oneOf('') }),
    object({ type: oneOf('redacted_thinking'), data: text }),
    object({ type: oneOf('tool_use'), id: text, name: text, input: { type: 'object', maxProperties: 0 } }),
  ],
}
const delta = {
  anyOf: [
    object({ type: oneOf('text_delta'), text }),
    object({ type: oneOf('thinking_delta'), thinking: text }),
    object({ type: oneOf('signature_delta'), signature: { type: 'string', minLength: 1 } }),
    object({ type: oneOf('input_json_delta'), partial_json: text }),
  ],
}

const fields: Readonly<Record<string, Readonly<Record<string, Schema>>>> = {
  message_start: {
    message: message({ content: { type: 'array', maxItems: 0 }, stop_reason: { type: 'null' } }),
  },
  ping: {},
  content_block_start: { index: count, content_block: opening },
  content_block_delta: { index: count, delta },
  content_block_stop: { index: count },
  message_delta: {
    delta: object({ stop_reason: reasons, stop_sequence: orNull(text) }),
    usage: object({ output_tokens: count }),
  },
  message_stop: {},
}

const checks = new Map(
  Object.entries(fields).map(([type, own]) => [type, checkOf(object({ type: oneOf(type), ...own }))]),
)

export interface MessageEvent {
  readonly type: string
  readonly index?: number
  readonly delta?: Readonly<Record<string, unknown>>
  readonly [field: string]: unknown
}

/** The events of a stream, without its comments. Throws for a frame that is none. */
export function eventsIn(stream: string): readonly MessageEvent[] {
  if (!stream.endsWith('\n\n')) throw new Error('the stream does not end with a blank line')
  return stream
    .slice(0, -2)
    .split('\n\n')
    .filter((frame) => !frame.startsWith(':'))
    .map((frame) => {
      const [, name, data = ''] = /^event: (\S+)\ndata: (.*)$/.exec(frame) ?? []
      const event = JSON.parse(data) as MessageEvent
      if (event.type !== name) throw new Error(`an event named ${name} is of type ${event.type}`)
      return event
    })
}

const letters: Readonly<Record<string, string>> = {
  message_start: 'm',
  content_block_start: 'b',
  content_block_delta: 'd',
  content_block_stop: 's',
  message_delta: 'M',
  message_stop: 'S',
  ping: '',
}

/** What is wrong with a stream: the form of an event, or the order of them, one block after the other. */
export function eventsFault(stream: string): string | undefined {
  const events = eventsIn(stream)
  for (const event of events) {
    const wrong = (checks.get(event.type) ?? (() => 'there is no such event'))(event)
    if (wrong) return `${event.type}: ${wrong}`
  }
  const order = events.map(({ type }) => letters[type]).join('')
  if (!/^m(bd*s)*MS$/.test(order)) return `the events come in the order ${order}`
  let open = -1
  for (const { type, index } of events) {
    if (type === 'content_block_start') open++
    if (index !== undefined && index !== open) return `${type} has the index ${index} in block ${open}`
  }
  return undefined
}

const model = object({ type: oneOf('model'), id: text, display_name: text, created_at: text })

/** https://platform.claude.com/docs/en/api/models/list */
export const modelFault = checkOf(model)
export const modelsFault = checkOf(
  object({
    data: { ...list(model), minItems: 1 },
    has_more: { type: 'boolean' },
    first_id: text,
    last_id: text,
  }),
)

/** https://platform.claude.com/docs/en/api/errors */
const types: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  404: 'not_found_error',
  429: 'rate_limit_error',
  502: 'api_error',
  529: 'overloaded_error',
}

const errorChecks = new Map(
  Object.entries(types).map(([status, type]) => {
    const error = object({ type: oneOf(type), message: text }, { details: anything })
    return [Number(status), checkOf(object({ type: oneOf('error'), error, request_id: text }))]
  }),
)

export function anthropicErrorFault(body: unknown, status: number): string | undefined {
  return (errorChecks.get(status) ?? (() => 'no such status'))(body)
}
