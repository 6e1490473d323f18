import {
  aBoolean,
  aNumber,
  anArray,
  anInteger,
  anObject,
  type FieldType,
  textOrList,
} from '../../operations/common/fields.ts'
import { invalid, type RequestBody } from '../../wire/body.ts'
import type { GatewayError } from '../../wire/errors.ts'
import { isObject } from '../../wire/json.ts'

/** The types in the words of Anthropic's messages. */
const words = new Map<FieldType, string>([
  [aBoolean, 'boolean'],
  [aNumber, 'number'],
  [anInteger, 'integer'],
  [anArray, 'list'],
  [anObject, 'dictionary'],
  [textOrList, 'string or list'],
])

const fields: Readonly<Record<string, FieldType>> = {
  max_tokens: anInteger,
  messages: anArray,
  system: textOrList,
  stream: aBoolean,
  temperature: aNumber,
  top_p: aNumber,
  top_k: anInteger,
  stop_sequences: anArray,
  tools: anArray,
  tool_choice: anObject,
  thinking: anObject,
  metadata: anObject,
  output_config: anObject,
}

/** Throws the 400 that Anthropic returns for an invalid message; its server checks more, if the request goes there. */
export function checkMessage(body: RequestBody): void {
  checkPrompt(body)
  if (!isGiven(body.outline.max_tokens)) throw missing('max_tokens')
}

/** The same for what is only counted. */
export function checkPrompt({ outline, model }: RequestBody): void {
  // A router may be given several instead.
  if (model === undefined && !isGiven(outline.models)) throw missing('model')
  for (const [name, type] of Object.entries(fields)) {
    const value = outline[name]
    if (isGiven(value) && !type.fits(value)) throw wrong(name, `a valid ${words.get(type)}`)
  }
  const { messages, stop_sequences: stops } = outline
  const odd = Array.isArray(stops) ? stops.findIndex((stop) => typeof stop !== 'string') : -1
  if (odd >= 0) throw wrong(`stop_sequences.${odd}`, 'a valid string')
  if (!Array.isArray(messages)) throw missing('messages')
  if (messages.length === 0) throw invalid('messages: at least one message is required')
  messages.forEach(checkTurn)
}

const roles: ReadonlySet<unknown> = new Set(['user', 'assistant', 'system'])

function checkTurn(message: unknown, at: number): void {
  const path = `messages.${at}`
  if (!isObject(message)) throw wrong(path, 'a valid dictionary')
  const { role, content } = message
  if (!isGiven(role)) throw missing(`${path}.role`)
  if (!roles.has(role)) throw wrong(`${path}.role`, "'user' or 'assistant'")
  if (!isGiven(content)) throw missing(`${path}.content`)
  if (!textOrList.fits(content)) throw wrong(`${path}.content`, 'a valid string or list')
}

export function missing(path: string): GatewayError {
  return invalid(`${path}: Field required`, path)
}

/** `expected`: what should be there. */
export function wrong(path: string, expected: string): GatewayError {
  return invalid(`${path}: Input should be ${expected}`, path)
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null
}
