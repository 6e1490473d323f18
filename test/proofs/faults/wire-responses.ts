import type { Answer } from './answers.ts'
import type { Wire } from './wires.ts'

const place = { item_id: 'msg_1', output_index: 0, content_index: 0 }
const usage = {
  input_tokens: 3,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens: 2,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 5,
}

/** An event with its name, as a server that makes responses itself sends it. */
export function event(type: string, number: number, fields: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: number, ...fields })}\n\n`
}

/** The event that ends a response which failed after `number` others. */
export function failed(answer: Answer, number: number, message: string): string {
  const error = { code: 'server_error', message }
  return event('response.failed', number, { response: response(answer, 'failed', { error }) })
}

/** Events before the first word. */
export const opening = 4

const textOf = ({ choices: [words = []] }: Answer) => words.join('')

function response({ number }: Answer, status: string, more: object = {}): object {
  const fields = { object: 'response', created_at: 1_700_000_000, model: 'faulty-model', error: null }
  return { id: `resp_${number}`, ...fields, status, output: [], usage: null, ...more }
}

function completed(answer: Answer): object {
  return response(answer, 'completed', { output: [message(textOf(answer))], usage })
}

function message(text: string): object {
  const content = [{ type: 'output_text', text, annotations: [], logprobs: [] }]
  return { id: 'msg_1', type: 'message', status: 'completed', role: 'assistant', content }
}

const delta = (number: number, word: string) =>
  event('response.output_text.delta', number, { ...place, delta: word, logprobs: [] })

/** OpenAI's API for responses, made by the upstream itself: events with a type, and no `[DONE]`. */
export const responses: Wire = {
  name: 'responses',
  streamType: 'text/event-stream',
  roles: (answer) => [
    event('response.created', 0, { response: response(answer, 'in_progress') }),
    event('response.in_progress', 1, { response: response(answer, 'in_progress') }),
    event('response.output_item.added', 2, {
      output_index: 0,
      item: { ...message(''), status: 'in_progress', content: [] },
    }),
    event('response.content_part.added', 3, { ...place, part: { type: 'output_text', text: '', annotations: [] } }),
  ],
  said: ({ choices: [words = []] }, from = 0, to) =>
    words.slice(from, to).map((word, index) => delta(opening + from + index, word)),
  finishes: (answer) => {
    const [words = []] = answer.choices
    const text = words.join('')
    const number = opening + words.length
    return [
      event('response.output_text.done', number, { ...place, text, logprobs: [] }),
      event('response.content_part.done', number + 1, {
        ...place,
        part: { type: 'output_text', text, annotations: [], logprobs: [] },
      }),
      event('response.output_item.done', number + 2, { output_index: 0, item: message(text) }),
      event('response.completed', number + 3, { response: completed(answer) }),
    ]
  },
  done: [],
  half: () => delta(0, 'never said').slice(0, 90),
  malformed: () => `${delta(0, 'x').slice(0, 90)}\n\n`,
  heartbeat: ': still there\n\n',
  whole: (answer) => JSON.stringify(completed(answer)),
  failure: (message, code) =>
    JSON.stringify({ error: { message, type: 'server_error', param: null, code: code ?? null } }),
  failing: (message) => event('error', 0, { code: 'server_error', message, param: null }),
}
