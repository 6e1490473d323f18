import { expect } from 'vitest'
import { eventsOf } from './ask.ts'

type Json = Record<string, unknown>

export interface MessageEvent extends Json {
  readonly type: string
  readonly index?: number
  readonly message?: Message
  readonly delta?: Json
  readonly content_block?: Json
  readonly usage?: Json
}

export interface Message extends Json {
  readonly content: readonly Json[]
  readonly stop_reason: string | null
  readonly usage: Json
}

/** A request for a message. */
export function asking(model: string, content: unknown, more: object = {}): Json {
  return { model, max_tokens: 100, messages: [{ role: 'user', content }], ...more }
}

/** Reads a whole message, and checks its form. */
export function readMessage(text: string): Message {
  const message = JSON.parse(text) as Message
  expect(message).toMatchObject({ id: expect.stringMatching(/^msg_\w{24}$/), type: 'message', role: 'assistant' })
  expect(message).toMatchObject({ model: expect.any(String), content: expect.any(Array) })
  expect([null, expect.any(String)]).toContainEqual(message.stop_sequence)
  expect(message.usage).toMatchObject({ input_tokens: expect.any(Number), output_tokens: expect.any(Number) })
  return message
}

/**
 * Reads the events of a message, and checks their form and their order: names equal to types, one block after the other,
 * each begun and ended, an end after all, or an error.
 */
export function readEvents(text: string): MessageEvent[] {
  expect(text.endsWith('\n\n')).toBe(true)
  const events = eventsOf(text).map(({ data, event }) => {
    const read = JSON.parse(data) as MessageEvent
    expect(read.type).toBe(event)
    return read
  })
  const types = events.map(({ type }) => type)
  const isBroken = types.at(-1) === 'error'
  const order = types.map((type) => letters[type] ?? '?').join('')
  expect(order).toMatch(isBroken ? /^mp(bd*s)*(bd*)?e$/ : /^mp(bd*s)*MS$/)
  const blocks = events.filter(({ type }) => type.startsWith('content_block'))
  const starts = blocks.filter(({ type }) => type === 'content_block_start')
  expect(starts.map(({ index }) => index)).toEqual(starts.map((_, at) => at))
  let open = -1
  for (const { type, index } of blocks) {
    if (type === 'content_block_start') open++
    expect(index).toBe(open)
  }
  return events
}

const letters: Readonly<Record<string, string>> = {
  message_start: 'm',
  ping: 'p',
  content_block_start: 'b',
  content_block_delta: 'd',
  content_block_stop: 's',
  message_delta: 'M',
  message_stop: 'S',
  error: 'e',
}

/** The message that its events amount to, as Anthropic's libraries put it together. */
export function wholeOf(events: readonly MessageEvent[]): Message {
  const blocks: Json[] = []
  const texts: string[] = []
  for (const { type, index = 0, content_block: block, delta = {} } of events) {
    if (type === 'content_block_start') blocks[index] = { ...block }
    if (type !== 'content_block_delta') continue
    const own = blocks[index] as Json
    if (delta.type === 'text_delta') own.text = String(own.text) + delta.text
    if (delta.type === 'thinking_delta') own.thinking = String(own.thinking) + delta.thinking
    if (delta.type === 'signature_delta') own.signature = delta.signature
    if (delta.type === 'input_json_delta') texts[index] = (texts[index] ?? '') + delta.partial_json
  }
  texts.forEach((text, at) => {
    blocks[at] = { ...blocks[at], input: JSON.parse(text) as unknown }
  })
  const end = events.find(({ type }) => type === 'message_delta')
  const message = events[0]?.message as Message
  return { ...message, ...end?.delta, content: blocks, usage: { ...message.usage, ...end?.usage } }
}
