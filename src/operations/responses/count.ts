import type { Answer } from '../../core/answer.ts'
import type { ServedRequest } from '../../core/served.ts'
import { isObject, type JsonObject, stringAt } from '../../wire/json.ts'
import { toChat } from './request.ts'

/** Tokens that templates add by themselves: instructions of their own, and how tools are to be called. */
const template = 1024
/** Tokens that one image takes at most: the largest one of GPT-4o mini takes 48,169. */
const image = 50_000

/** An answer with a number of tokens. `bound`: it isn't their number, only never less. */
export function countAnswer(count: number, bound?: 'upper'): Answer {
  const told = { object: 'response.input_tokens', input_tokens: count, ...(bound && { bound }) }
  return {
    status: 200,
    headers: {
      'content-type': 'application/json',
      ...(bound && { 'x-samewire-notice': 'an upper bound: the provider counts no tokens' }),
    },
    body: encoder.encode(JSON.stringify(told)),
  }
}

/** The most that a request can be to any model. */
export function boundAnswer({ context }: Pick<ServedRequest, 'context'>): Answer {
  return countAnswer(mostTokens(toChat(context.body).chat), 'upper')
}

/** No tokenizer makes more tokens than there are bytes, and JSON has more around each text than any template. */
export function mostTokens({ messages, tools, response_format: format }: JsonObject): number {
  const bytes = encoder.encode(JSON.stringify({ messages, tools, format })).length
  return template + bytes + image * imagesIn(messages)
}

function imagesIn(messages: unknown): number {
  const parts = Array.isArray(messages)
    ? messages.filter(isObject).flatMap(({ content }): unknown[] => (Array.isArray(content) ? content : []))
    : []
  return parts.filter((part) => stringAt(part, 'type') === 'image_url').length
}

const encoder = new TextEncoder()
