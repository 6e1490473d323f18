import type { Feature } from '../../core/features.ts'
import type { Structure } from '../../core/structure.ts'
import { edited, type RequestBody } from '../../wire/body.ts'
import { GatewayError } from '../../wire/errors.ts'
import { isObject, type JsonObject, objectAt, stringAt, tryParse } from '../../wire/json.ts'
import { misfit, SchemaError, uncheckable } from '../../wire/json-schema.ts'
import { schemaIn } from '../../wire/response-format.ts'
import { choicesFeatures } from './features.ts'
import { messagesOf } from './messages.ts'

/**
 * What takes the place of a grammar: the schema is put to the model in words, its answer checked, and shown to it once
 * more with what is wrong. Undefined if the request wants no structure that the upstream lacks. Throws a 400 for a schema
 * that can't be checked.
 */
export function structureFor(body: RequestBody, lacks: readonly Feature[]): Structure | undefined {
  const wanted = (['json_schema', 'json_object'] as const).find((one) => choicesFeatures[one].find(body.outline))
  if (wanted === undefined || !lacks.includes(wanted)) return undefined
  const format = objectAt(body.json, 'response_format')
  if (wanted === 'json_object' && stringAt(format, 'type') !== 'json_object') return undefined
  const schema = schemaIn(format) ?? { type: 'object' }
  refuseUncheckable(schema)
  const messages = instructed(messagesOf(body.json), instruction(wanted, schema, format))
  // Where any JSON can be enforced, that is half of it.
  const half = wanted === 'json_schema' && !lacks.includes('json_object') ? { type: 'json_object' } : undefined
  return new InWords(body, { messages, schema, half })
}

function refuseUncheckable(schema: unknown): void {
  const why = uncheckable(schema)
  if (why !== undefined) throw unsupported(why)
}

function unsupported(why: string): GatewayError {
  const message = `Unsupported parameter: 'response_format' is not supported with this model as it is: ${why}.`
  return new GatewayError('incapable', message, { param: 'response_format' })
}

/** The same as `misfit`, with a 400 for what takes too long. */
function misfitIn(value: unknown, schema: unknown): string | undefined {
  try {
    return misfit(value, schema)
  } catch (error) {
    throw error instanceof SchemaError ? unsupported(error.message) : error
  }
}

function instruction(wanted: 'json_schema' | 'json_object', schema: unknown, format: JsonObject | undefined): string {
  if (wanted === 'json_object') return 'Answer with one JSON object and nothing else: no other text, no code fences.'
  const description = stringAt(objectAt(format, 'json_schema'), 'description')
  return [
    'Answer with JSON and nothing else: no other text, no code fences.',
    ...(description ? [`It is: ${description}`] : []),
    `The JSON must keep to this JSON schema:\n${JSON.stringify(schema)}`,
  ].join(' ')
}

const instructing = new Set(['system', 'developer'])

/** The messages with an instruction behind the first one of its kind: some templates take only one. */
function instructed(messages: readonly unknown[], words: string): unknown[] {
  const [head, ...rest] = messages
  if (isObject(head) && instructing.has(String(head.role)) && typeof head.content === 'string') {
    return [{ ...head, content: `${head.content}\n\n${words}` }, ...rest]
  }
  return [{ role: 'system', content: words }, ...messages]
}

interface Asking {
  readonly messages: readonly unknown[]
  readonly schema: unknown
  readonly half: JsonObject | undefined
}

class InWords implements Structure {
  readonly #given: RequestBody
  readonly #asking: Asking

  constructor(given: RequestBody, asking: Asking) {
    this.#given = given
    this.#asking = asking
  }

  get body(): RequestBody {
    return this.#bodyWith(this.#asking.messages)
  }

  check(answer: JsonObject): { readonly answer: JsonObject } | { readonly problem: string } {
    const choices = Array.isArray(answer.choices) ? answer.choices.filter(isObject) : []
    const read = choices.map((choice) => this.#read(choice))
    const problem = read.find((one) => typeof one === 'string')
    return typeof problem === 'string' ? { problem } : { answer: { ...answer, choices: read } }
  }

  again(answer: JsonObject, problem: string): RequestBody {
    const [choice] = Array.isArray(answer.choices) ? answer.choices : []
    const said = stringAt(objectAt(choice, 'message'), 'content') ?? ''
    const words = `That is not the JSON that was asked for: ${problem}. Answer again with the whole JSON, corrected, and nothing else.`
    return this.#bodyWith([
      ...this.#asking.messages,
      { role: 'assistant', content: said },
      { role: 'user', content: words },
    ])
  }

  #bodyWith(messages: readonly unknown[]): RequestBody {
    const { half } = this.#asking
    const set = new Map([['messages', JSON.stringify(messages)]])
    if (half) set.set('response_format', JSON.stringify(half))
    const drop = new Set(['stream', 'stream_options', ...(half ? [] : ['response_format'])])
    return edited(this.#given, { set, drop })
  }

  /** The choice with nothing but its JSON, or what is wrong with it. */
  #read(choice: JsonObject): JsonObject | string {
    const message = objectAt(choice, 'message') ?? {}
    // A call is no text, and what is cut off or refused isn't mended by asking again.
    if (choice.finish_reason !== 'stop' || message.refusal || typeof message.content !== 'string') return choice
    const text = jsonIn(message.content)
    const value = tryParse(text)
    if (value === undefined) return 'it is no valid JSON'
    const problem = misfitIn(value, this.#asking.schema)
    return problem ?? { ...choice, message: { ...message, content: text } }
  }
}

/** The JSON in an answer, without the fences or the words that models like to put around it. */
function jsonIn(content: string): string {
  const text = content.trim()
  if (tryParse(text) !== undefined) return text
  const fenced = /```(?:json)?\s*\n([\s\S]*?)\n\s*```/i.exec(text)?.[1]?.trim()
  if (fenced !== undefined && tryParse(fenced) !== undefined) return fenced
  const start = text.search(/[[{]/)
  const end = Math.max(text.lastIndexOf('}'), text.lastIndexOf(']'))
  return start >= 0 && end > start ? text.slice(start, end + 1) : text
}
