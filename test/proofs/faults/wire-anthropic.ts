import type { Wire } from './wires.ts'

/** https://platform.claude.com/docs/en/api/errors */
export const errorTypes: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  504: 'timeout_error',
  529: 'overloaded_error',
}

/** An event with its name. */
export function event(type: string, fields: object = {}): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`
}

export function errorEvent(type: string, message: string): string {
  return event('error', { error: { type, message } })
}

const usage = { input_tokens: 3, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 2 }

function message(number: number, text: string | undefined): object {
  const fields = { id: `msg_${number}`, type: 'message', role: 'assistant', model: 'faulty-model' }
  return text === undefined
    ? { ...fields, content: [], stop_reason: null, stop_sequence: null, usage: { ...usage, output_tokens: 1 } }
    : { ...fields, content: [{ type: 'text', text }], stop_reason: 'end_turn', stop_sequence: null, usage }
}

const delta = (text: string) => event('content_block_delta', { index: 0, delta: { type: 'text_delta', text } })

/** Anthropic's API for messages: named events, the last of which is `message_stop`. */
export const anthropic: Wire = {
  name: 'anthropic',
  streamType: 'text/event-stream; charset=utf-8',
  roles: ({ number }) => [
    event('message_start', { message: message(number, undefined) }),
    event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
    event('ping'),
  ],
  said: ({ choices: [words = []] }, from, to) => words.slice(from, to).map(delta),
  finishes: () => [
    event('content_block_stop', { index: 0 }),
    event('message_delta', { delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 2 } }),
  ],
  done: [event('message_stop')],
  half: () => delta('never said').slice(0, 90),
  malformed: () => `${delta('x').slice(0, 90)}\n\n`,
  heartbeat: event('ping'),
  whole: ({ number, choices: [words = []] }) => JSON.stringify(message(number, words.join(''))),
  failure: (said, code, status = 500) => {
    const words = code === 'context_length_exceeded' ? 'prompt is too long: 20 tokens > 10 maximum' : said
    const error = { type: errorTypes[status] ?? 'api_error', message: words }
    return JSON.stringify({ type: 'error', error, request_id: 'req_1' })
  },
  failing: (said) => errorEvent('api_error', said),
}
