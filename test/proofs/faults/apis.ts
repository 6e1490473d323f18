import type OpenAI from 'openai'
import { messages } from './dialect-anthropic.ts'
import { generateContent, generateContentList } from './dialect-gemini.ts'
import { ollamaChat, ollamaGenerate } from './dialect-ollama.ts'
import type { Framing } from './framing.ts'
import type { Plan } from './plan.ts'
import type { Route } from './target.ts'
import { type Received, raise } from './verdict.ts'
import type { WireName } from './wires.ts'

/** An API as a client asks by it and reads it. */
export interface Api {
  path(plan: Plan, route: Route): string
  /** How its clients send their key, if not as a bearer. */
  readonly keyHeader?: string
  body(plan: Plan, route: Route): object
  /** How the events of a stream come, if not as server-sent events. */
  readonly framing?: Framing
  /** Adds what a whole answer says, or one event of the name `event`. Throws at what is no JSON. */
  take(text: string, received: Received, event?: string): void
  /** Whether an event that says how it all ended follows an error. */
  readonly endsItself?: true
  /** Asks by OpenAI's own client. */
  askOfficially?(client: OpenAI, asked: Official): Promise<void>
  /** What a client does that holds the gateway to the API's own rules. */
  readonly strict?: Strict
}

/** The rules of an API whose clients read an answer to its end. They note what breaks one as `misread`. */
export interface Strict {
  /** Whether an error is in the API's words. `status`: of an answer that is nothing else. Throws at what is no JSON. */
  isOwnError(text: string, status?: number): boolean
  /** Whether a stream whose events are these has an end, beside the reason. */
  isEnded?(received: Received): boolean
  /** Whether what is no event is an error all the same. Throws at what is no JSON. */
  mayStray?(text: string): boolean
}

export interface Official {
  readonly plan: Plan
  readonly route: Route
  readonly signal: AbortSignal
  readonly received: Received
  /** Called after each event. */
  readonly heard: () => void
}

interface Choice {
  readonly index: number
  readonly delta?: { readonly content?: string | null }
  readonly message?: { readonly content?: string | null }
  readonly finish_reason?: string | null
}

const chat: Api = {
  path: () => '/v1/chat/completions',
  body: chatBody,
  take(text, received) {
    const { choices = [], error } = JSON.parse(text) as { choices?: Choice[]; error?: unknown }
    if (error) raise(received, 'event', text)
    else for (const choice of choices) addChoice(choice, received)
  },
  async askOfficially(client, { plan, route, signal, received, heard }) {
    const answer = await client.chat.completions.create(chatBody(plan, route), { signal })
    if ('choices' in answer) {
      for (const choice of answer.choices) addChoice(choice, received)
      return
    }
    for await (const { choices } of answer) {
      for (const choice of choices) addChoice(choice, received)
      heard()
    }
  },
}

function chatBody({ number, streams, choices, fields }: Plan, { model }: Route) {
  const messages = [{ role: 'user' as const, content: String(number) }]
  return { model, messages, stream: streams, ...(choices.length > 1 && { n: choices.length }), ...fields }
}

function addChoice({ index, delta, message, finish_reason }: Choice, received: Received): void {
  received.texts[index] = (received.texts[index] ?? '') + ((delta ?? message)?.content ?? '')
  if (finish_reason) received.finished.add(index)
}

interface Response {
  readonly object?: string
  readonly status?: string
  readonly output?: readonly { readonly content?: readonly { readonly text?: string }[] }[]
}

interface ResponseEvent {
  readonly type: string
  readonly delta?: string
  readonly response?: Response
}

const responses: Api = {
  path: () => '/v1/responses',
  endsItself: true,
  body: responseBody,
  take(text, received) {
    const said = JSON.parse(text) as ResponseEvent & Response
    if (said.object === 'response') addResponse(said, received)
    else addEvent(said, received)
  },
  async askOfficially(client, { plan, route, signal, received, heard }) {
    const answer = await client.responses.create(responseBody(plan, route), { signal })
    if ('output' in answer) return addResponse(answer as Response, received)
    for await (const event of answer) {
      addEvent(event as ResponseEvent, received)
      heard()
    }
  },
}

function responseBody({ number, streams, fields }: Plan, { model }: Route) {
  return { model, input: String(number), stream: streams, ...fields }
}

function addEvent(event: ResponseEvent, received: Received): void {
  const { type, delta, response } = event
  // Nothing may come after the event that says how it ended.
  if (received.ending !== undefined) received.ending += `, and then: ${type}`
  if (type === 'response.output_text.delta') received.texts[0] = (received.texts[0] ?? '') + delta
  else if (type === 'error') raise(received, 'event', JSON.stringify(event))
  else if (response && /^response\.(completed|incomplete|failed)$/.test(type)) {
    received.ending ??= textOf(response)
    addEnd(response, received)
  }
}

function addResponse(response: Response, received: Received): void {
  received.texts[0] = (received.texts[0] ?? '') + textOf(response)
  addEnd(response, received)
}

function textOf({ output = [] }: Response): string {
  return output.flatMap(({ content = [] }) => content.map(({ text = '' }) => text)).join('')
}

function addEnd(response: Response, received: Received): void {
  const { status } = response
  if (status === 'completed') received.finished.add(0)
  else if (status === 'failed') raise(received, 'event', JSON.stringify(response))
}

const all = { chat, responses, messages, generateContent, generateContentList, ollamaChat, ollamaGenerate }
export type ApiName = keyof typeof all
export const apis: Readonly<Record<ApiName, Api>> = all
export const apiNames = Object.keys(all) as readonly ApiName[]

/** The APIs that a provider has itself. */
export const ownApis: Readonly<Record<WireName, readonly ApiName[]>> = {
  openai: ['chat'],
  huggingface: ['chat'],
  ollama: ['ollamaChat', 'ollamaGenerate'],
  responses: ['responses'],
  anthropic: ['messages'],
  gemini: ['generateContent', 'generateContentList'],
}
