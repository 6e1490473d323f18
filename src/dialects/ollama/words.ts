import { type GatewayError, isMissing, shorten } from '../../wire/errors.ts'
import type { JsonObject } from '../../wire/json.ts'

/** The body of an error answer: clients show its text, and look for that of a missing model. */
export function refuse({ kind, model, message }: GatewayError): JsonObject {
  if (kind === 'absent') return { error: 'model is required' }
  if (model === undefined || !isMissing(kind)) return { error: message.replace(unread, inOwnWords) }
  return { error: `model '${shorten(model)}' not found` }
}

/** How the gateway says in OpenAI's words that a body can't be read. */
const unread = /^We could not parse the JSON body of your request(?:: it is not (.*)\.|\. .*)$/

function inOwnWords(_: string, what = 'valid JSON'): string {
  return `the request body is not ${what}`
}

/** The last line of a broken stream. `error`: as in OpenAI's envelope. */
export function errorLine(error: unknown): string {
  const told = typeof error === 'object' && error !== null ? Reflect.get(error, 'message') : error
  return JSON.stringify({ error: typeof told === 'string' && told !== '' ? told : 'an unknown error was encountered' })
}
