import type { Said } from '../../contract/read.ts'
import type { MadeUp } from '../../support/exchange.ts'
import type { Got } from '../cells.ts'
import type { Target } from '../targets.ts'

/** What a route of a dialect is asked for: the columns of its table. */
export const dialectKinds = [
  'plain',
  'stream',
  'tools',
  'parallel tools',
  'tool result',
  'tool choice',
  'schema',
  'reasoning',
  'vision',
  'system',
  'stop',
  'length',
  'errors',
] as const
export type DialectKind = (typeof dialectKinds)[number]

/** An API other than OpenAI's, as its clients know it. */
export interface Dialect {
  readonly name: string
  /** How its clients send their key. */
  readonly key: Readonly<Record<string, string>>
  /** What else they send with each request, besides the type. */
  readonly headers?: Readonly<Record<string, string>>
  /** The headers that name a request, in each answer. */
  readonly idHeaders: readonly string[]
  /** What is wrong with the body of an error answer of this status. */
  errorFault(body: unknown, status: number): string | undefined
  /** What an error answer says. */
  messageOf(body: unknown): string
  /** By the path from the server's root. */
  readonly routes: Readonly<Record<string, DialectCases>>
}

/** The requests of each kind, by target. A kind without any is not the route's matter. */
export type DialectCases = Readonly<Partial<Record<DialectKind, (target: Target) => readonly DialectAsk[] | undefined>>>

export interface DialectAsk {
  readonly about: string
  readonly upstream: string | MadeUp
  /** `{model}` stands for the model, which is in the body if it isn't here. */
  readonly path: string
  /** Without `model`; a text is sent as it is. Absent: a GET. */
  readonly body?: Readonly<Record<string, unknown>> | string
  /** Instead of the target's, by its provider's name. */
  readonly model?: string
  /** Whether its body names no model. */
  readonly modelless?: true
  /** Whether it goes without a key. */
  readonly keyless?: true
  /** The content type of a good answer; absent: JSON. */
  readonly type?: string
  /** What the upstream has to be told, where it can be seen. */
  readonly reaches?: string
  /** What is wrong with a good answer, in form or in meaning. */
  check?(got: Got): string | undefined
  /** The error that must come instead of an answer. */
  readonly refusal?: Refusal
}

export interface Refusal {
  readonly status: number
  readonly says?: RegExp
}

/** How a dialect asks a model for an answer. */
export interface Conversation {
  /** `streams`: whether a stream is asked for. */
  path(streams: boolean): string
  readonly streamType: string
  /** Undefined if the API can't ask it. */
  body(question: Question, streams: boolean): Readonly<Record<string, unknown>> | undefined
  /** Fields that are wrong in type, and the fields without which a request is none. */
  readonly wrong: Readonly<Record<string, unknown>>
  readonly required: readonly string[]
  /** What is wrong with the form of an answer, whole or streamed. */
  formFault(got: Got): string | undefined
  read(text: string): Said | undefined
  /** The tokens of the prompt, as the answer counts them. */
  promptTokens(text: string): number
  /** What is wrong with how the answer says that a sequence has stopped it. */
  stopFault?(got: Got, target: Target): string | undefined
  readonly statuses: Statuses
  readonly tooLong?: RegExp
}

/** The status of each failure, where an API has one of its own. */
export interface Statuses {
  readonly rateLimit: number
  readonly wrongKey: number
  readonly down: number
}

/** What a model is asked, in no API's terms. */
export interface Question {
  readonly text: string
  /** Tokens; absent: as many as an answer may need. */
  readonly most?: number
  readonly system?: string
  readonly tools?: true
  /** Whether some tool must be called, or this one. */
  readonly choice?: 'any' | 'get_weather'
  /** What the tool said that was called for Tokyo. */
  readonly result?: string
  readonly schema?: true
  readonly thinks?: true
  readonly image?: true
  readonly stops?: readonly string[]
}

/** The key that the gateway wants. */
export const clientKey = 'sk-of-the-gateway'

export const most = 120

export const weather = {
  name: 'get_weather',
  description: 'd',
  schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
}

export const called = { city: 'Tokyo' }

/** What the recorded answers to a request with a schema obey. */
export const answerSchema = {
  type: 'object',
  properties: { ok: { type: 'boolean' }, color: { type: 'string', enum: ['red', 'green'] } },
  required: ['ok', 'color'],
  additionalProperties: false,
}
