import { expect } from 'vitest'
import { loadSpecification } from '../conformance/specification.ts'
import { eventsOf } from './ask.ts'

type Json = Record<string, unknown>

export interface Event extends Json {
  readonly type: string
  readonly sequence_number: number
  readonly response?: Response
  readonly item?: Item
}

export interface Item extends Json {
  readonly id: string
  readonly type: string
}

export interface Response extends Json {
  readonly id: string
  readonly status: string
  readonly output: readonly Item[]
}

const specification = loadSpecification()

/** What https://www.openresponses.org/reference requires of each response, null where there is nothing to say. */
const required = [
  ...['id', 'object', 'created_at', 'completed_at', 'status', 'incomplete_details', 'model', 'previous_response_id'],
  ...['instructions', 'output', 'error', 'tools', 'tool_choice', 'truncation', 'parallel_tool_calls', 'text'],
  ...['top_p', 'presence_penalty', 'frequency_penalty', 'top_logprobs', 'temperature', 'reasoning', 'usage'],
  ...['max_output_tokens', 'max_tool_calls', 'store', 'background', 'service_tier', 'metadata'],
  ...['safety_identifier', 'prompt_cache_key'],
]

/** Codes beyond the specification's, on which Codex acts. */
const beyond = /^(context_length_exceeded|insufficient_quota|usage_not_included)$/

/** Reads a whole response, and checks its form. */
export function readResponse(text: string): Response {
  const response = JSON.parse(text) as Response
  expectResponse(response)
  expect(specification?.answer('post', '/responses', false)(specified(response))).toBeUndefined()
  return response
}

/**
 * Reads the events of a response, and checks their form and their order: numbers from 0, names equal to types, every item
 * and part begun and ended around what is said of it, one terminal event, `[DONE]`.
 */
export function readEvents(text: string): Event[] {
  const received = eventsOf(text)
  expect(text.endsWith('\n\n')).toBe(true)
  expect(received.at(-1)).toEqual({ data: '[DONE]' })
  const events = received.slice(0, -1).map(({ data, event }) => {
    const read = JSON.parse(data) as Event
    expect(read.type).toBe(event)
    return read
  })
  expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, at) => at))
  expect(events[0]?.type).toBe('response.created')
  if (events.length > 2) expect(events[1]?.type).toBe('response.in_progress')
  const terminal = events.filter(({ type }) => /^response\.(completed|incomplete|failed)$/.test(type))
  expect(terminal).toEqual([events.at(-1)])
  for (const event of events) {
    if (event.response) expectResponse(event.response)
    expect({ event, wrong: faultOf(event) }).toEqual({ event, wrong: undefined })
  }
  expectItems(events)
  return events
}

function faultOf(event: Event): string | undefined {
  const { response } = event
  return specification?.answer(
    'post',
    '/responses',
    true,
  )(response ? { ...event, response: specified(response) } : event)
}

/** A response as the specification has it, which knows neither OpenAI's own `usage: null` nor the codes for Codex. */
function specified({ usage, error, ...response }: Response): Json {
  const { code = '' } = (error ?? {}) as { code?: string }
  return { ...response, ...(usage !== null && { usage }), error: beyond.test(code) ? null : error }
}

/** The last event's response. */
export function lastOf(events: readonly Event[]): Response {
  return events.at(-1)?.response as Response
}

/** What the events said of one type. */
export function deltasOf(events: readonly Event[], type: string): string {
  return events.flatMap((event) => (event.type === `response.${type}` ? [event.delta] : [])).join('')
}

function expectResponse(response: Response): void {
  expect(Object.keys(response)).toEqual(expect.arrayContaining(required))
  for (const item of response.output) expect(item.id).toMatch(/^(msg|rs|fc|ctc|cmp)_[\w]{32}$/)
}

/** Items come in the order of their indexes, are the same in their last event as in the response, and have told it all. */
function expectItems(events: readonly Event[]): void {
  const { output, status } = lastOf(events)
  const indexes = (type: string) => events.flatMap((event) => (event.type === type ? [event.output_index] : []))
  expect(indexes('response.output_item.added')).toEqual(output.map((_, at) => at))
  const done = events.filter(({ type }) => type === 'response.output_item.done')
  for (const { output_index: index, item } of done) expect(item).toEqual(output[index as number])
  if (status !== 'failed') expect(done.map(({ output_index: index }) => index).sort()).toEqual([...output.keys()])
  for (const [index, item] of output.entries()) {
    const own = events.filter((event) => event.output_index === index)
    expect(own[0]).toMatchObject({ type: 'response.output_item.added', item: { id: item.id, type: item.type } })
    for (const event of own) expect(event.item_id ?? event.item?.id).toBe(item.id)
    const said = own.filter((event) => 'delta' in event).map(({ delta }) => delta)
    expect(textsOf(item)).toContain(said.join(''))
  }
}

/** Each text that an item is made of. */
function textsOf(item: Item): readonly unknown[] {
  const parts = [item.content ?? [], item.summary ?? []].flat() as Json[]
  return [...parts.map(({ text, refusal }) => text ?? refusal), item.arguments ?? item.input ?? '']
}

/** A request for a response. */
export function asking(model: string, input: unknown, more: object = {}): Json {
  return { model, input, ...more }
}

export const chatHead = { id: 'chatcmpl-fake', object: 'chat.completion', created: 1_700_000_000, model: 'fake-model' }

/** A whole chat answer with this message. */
export function chatSaying(message: object, finish = 'stop', more: object = {}): Json {
  const choice = { index: 0, message: { role: 'assistant', content: null, ...message }, finish_reason: finish }
  const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 }
  return { ...chatHead, usage, ...more, choices: [{ ...choice, ...(more as { choice?: object }).choice }] }
}

/** A chat's chunk with this usage. */
export function usageChunk(usage: object): string {
  return `data: ${JSON.stringify({ ...chatHead, object: 'chat.completion.chunk', choices: [], usage })}\n\n`
}
