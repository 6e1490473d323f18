import { eventsOf } from './ask.ts'

/** An event of a response, as an upstream that makes them sends it. */
export function responseEvent(type: string, number: number, fields: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: number, ...fields })}\n\n`
}

/** A response with nothing but what clients read. */
export function response(status: string, more: object = {}): Record<string, unknown> {
  const fields = { id: 'resp_up', object: 'response', created_at: 1_700_000_000, model: 'up-model', error: null }
  return { ...fields, status, output: [], usage: null, ...more }
}

export const usage = {
  input_tokens: 7,
  input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
  output_tokens: 2,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 9,
}

export function message(text: string): object {
  const content = [{ type: 'output_text', text, annotations: [], logprobs: [] }]
  return { id: 'msg_up', type: 'message', status: 'completed', role: 'assistant', content }
}

const place = { item_id: 'msg_up', output_index: 0, content_index: 0 }

/** The events of a response that says `words`, up to its last one, which `end` names. */
export function responseFrames(words: readonly string[], end = 'completed', more: object = {}): string[] {
  const events: [string, object][] = [
    ['created', { response: response('in_progress') }],
    ['in_progress', { response: response('in_progress') }],
    ['output_item.added', { output_index: 0, item: { ...message(''), status: 'in_progress', content: [] } }],
    ['content_part.added', { ...place, part: { type: 'output_text', text: '', annotations: [] } }],
    ...words.map((delta): [string, object] => ['output_text.delta', { ...place, delta, logprobs: [] }]),
    ['output_text.done', { ...place, text: words.join('') }],
    ['output_item.done', { output_index: 0, item: message(words.join('')) }],
    [end, { response: response(end, { output: [message(words.join(''))], usage, ...more }) }],
  ]
  return events.map(([type, fields], number) => responseEvent(`response.${type}`, number, fields))
}

/** Events before the first content. */
export const opening = 4

interface Read {
  readonly type: string
  readonly sequence_number: number
  readonly delta?: string
  readonly response?: { readonly status: string; readonly output: unknown[]; readonly error: unknown }
}

/** The events that a client reads, without `[DONE]`. */
export function readEvents(text: string): Read[] {
  return eventsOf(text)
    .filter(({ data }) => data !== '[DONE]')
    .map(({ data }) => JSON.parse(data) as Read)
}
