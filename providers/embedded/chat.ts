import { type GenerateOptions, invalidType, invalidValue, isObject, type JsonObject, unsupported } from './contract.ts'
import type { Event, Job, TokenLogprob } from './generate.ts'
import { any, type Rule } from './grammar.ts'
import { anyObject, schemaRule } from './json-grammar.ts'
import type { Piece } from './output.ts'
import type { Tool } from './prompt.ts'
import { readBoolean, readInteger, readSettings, type Settings } from './settings.ts'
import type { Tokenizer } from './tokenizer.ts'
import { readTools } from './tools.ts'
import type { Wire } from './wire.ts'

/** Maximum tokens of an answer if the request sets no limit. */
const DEFAULT_MAX_TOKENS = 512
const MOST_TOP_LOGPROBS = 20
/** Maximum log probabilities of all answers at one position: a whole answer holds them in memory. */
const MOST_LISTED = 256

export function chatJob(
  body: JsonObject,
  tokenizer: Tokenizer,
  prompt: (messages: unknown, tools: readonly Tool[]) => string,
): Job & { includeUsage: boolean } {
  const settings = readSettings(body, tokenizer.size)
  if (settings.maxTokens === 0) throw invalidValue('max_tokens', 'expected at least 1.')
  const plan = readTools(body)
  const begun = readBegun(body)
  const started = tokenizer.encode(prompt(begun ? begun.before : body.messages, plan.tools))
  // Apart from the prompt, because the model reads its own text in the tokens that it wrote.
  const written = begun ? tokenizer.encode(begun.text) : []
  const calls = plan.grammar?.() ?? null
  const format = readFormat(body.response_format)
  return {
    ...settings,
    ...(body.reasoning_effort === 'none' && { sampling: withoutThoughts(settings.sampling, tokenizer) }),
    prompts: [[...started, ...written]],
    maxTokens: settings.maxTokens ?? Math.max(1, DEFAULT_MAX_TOKENS - written.length),
    thinking: !begun,
    logprobs: readLogprobs(body, settings.n),
    calls: calls?.afterTag ?? null,
    grammar: calls && plan.forced ? calls.answer : format && calls ? any(format, calls.answer) : format,
  }
}

/** Its template has no switch for thinking, so that the tags themselves are kept from a model that is not to. */
function withoutThoughts(sampling: Settings['sampling'], tokenizer: Tokenizer): Settings['sampling'] {
  const tags = ['<think>', '</think>'].map((tag) => [tokenizer.specialId(tag), -100] as const)
  return { ...sampling, bias: new Map([...sampling.bias, ...tags]) }
}

/** A last message of the assistant that the request wants to have continued. */
function readBegun({ messages, continue_final_message: wanted }: JsonObject) {
  if (wanted !== true || !Array.isArray(messages)) return undefined
  const last: unknown = messages.at(-1)
  if (!isObject(last) || last.role !== 'assistant' || typeof last.content !== 'string') return undefined
  return { before: messages.slice(0, -1), text: last.content }
}

function readLogprobs(body: JsonObject, n: number): number | null {
  const wanted = readBoolean(body, 'logprobs') ?? false
  const alternatives = readInteger(body, 'top_logprobs', 0, MOST_TOP_LOGPROBS)
  if (!wanted && alternatives !== null) throw invalidValue('top_logprobs', "it needs 'logprobs' to be true.")
  if (wanted && n * ((alternatives ?? 0) + 1) > MOST_LISTED) {
    throw invalidValue('top_logprobs', `with ${n} answers it can be at most ${Math.floor(MOST_LISTED / n) - 1}.`)
  }
  return wanted ? (alternatives ?? 0) : null
}

function readFormat(format: unknown): Rule | null {
  if (format === undefined || format === null) return null
  if (!isObject(format)) throw invalidType('response_format', 'an object', format)
  if (format.type === 'text') return null
  if (format.type === 'json_object') return readObjectFormat(format.schema)
  if (format.type !== 'json_schema') {
    throw unsupported('response_format', `A response_format of type '${String(format.type)}' is not supported.`)
  }
  const schema = isObject(format.json_schema) ? format.json_schema.schema : undefined
  if (!isObject(schema)) throw invalidType('response_format.json_schema.schema', 'an object', schema)
  return schemaRule(schema, 'response_format')
}

/** llama.cpp and Together take a schema here too. An empty one allows any object, as with llama.cpp. */
function readObjectFormat(schema: unknown): Rule {
  if (schema === undefined || schema === null) return anyObject
  if (!isObject(schema)) throw invalidType('response_format.schema', 'an object', schema)
  return Object.keys(schema).length === 0 ? anyObject : schemaRule(schema, 'response_format')
}

/** Formats the events of a chat answer for the client. */
export function chatWire(options: GenerateOptions): Wire {
  return {
    objects: { chunk: 'chat.completion.chunk', whole: 'chat.completion' },
    choices: (event) => {
      const { index } = event
      const choice = (delta: JsonObject, logprobs: readonly TokenLogprob[] = [], reason: string | null = null) => [
        {
          index,
          delta,
          logprobs: logprobs.length > 0 ? { content: logprobs, refusal: null } : null,
          finish_reason: reason,
        },
      ]
      if (event.kind === 'start') return choice({ role: 'assistant', content: '' })
      if (event.kind === 'finish') return choice({}, [], event.reason)
      return choice(pieceDelta(event.piece, options.random), event.logprobs)
    },
    collect: () => {
      const answer = new CollectedAnswer(options.random)
      return {
        add: (event) => answer.add(event),
        choice: (index, reason) => ({
          index,
          message: answer.message(),
          logprobs: answer.logprobs,
          finish_reason: reason,
        }),
      }
    },
  }
}

function pieceDelta(piece: Piece, random: () => number): JsonObject {
  switch (piece.kind) {
    case 'content':
      return { content: piece.text }
    case 'reasoning':
      return { reasoning_content: piece.text }
    case 'call': {
      const called = { name: piece.name, arguments: '' }
      return { tool_calls: [{ index: piece.index, id: callId(random), type: 'function', function: called }] }
    }
    case 'arguments':
      return { tool_calls: [{ index: piece.index, function: { arguments: piece.text } }] }
  }
}

class CollectedAnswer {
  #content = ''
  #reasoning = ''
  readonly #calls: { id: string; type: 'function'; function: { name: string; arguments: string } }[] = []
  readonly #logprobs: TokenLogprob[] = []
  readonly #random: () => number

  constructor(random: () => number) {
    this.#random = random
  }

  add({ piece, logprobs }: Extract<Event, { kind: 'piece' }>): void {
    this.#logprobs.push(...logprobs)
    if (piece.kind === 'content') this.#content += piece.text
    else if (piece.kind === 'reasoning') this.#reasoning += piece.text
    else if (piece.kind === 'call') {
      this.#calls.push({ id: callId(this.#random), type: 'function', function: { name: piece.name, arguments: '' } })
    } else if (piece.kind === 'arguments') {
      const call = this.#calls[piece.index]
      if (call) call.function.arguments += piece.text
    }
  }

  message(): JsonObject {
    const called = this.#calls.length > 0
    return {
      role: 'assistant',
      content: called && this.#content === '' ? null : this.#content,
      refusal: null,
      ...(this.#reasoning === '' ? {} : { reasoning_content: this.#reasoning }),
      ...(called ? { tool_calls: this.#calls } : {}),
    }
  }

  get logprobs(): JsonObject | null {
    return this.#logprobs.length > 0 ? { content: this.#logprobs, refusal: null } : null
  }
}

const ID_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

function callId(random: () => number): string {
  const letters = Array.from({ length: 24 }, () => ID_ALPHABET[Math.floor(random() * ID_ALPHABET.length)])
  return `call_${letters.join('')}`
}
