import type { Answer } from './answers.ts'
import { anthropic } from './wire-anthropic.ts'
import { gemini } from './wire-gemini.ts'
import { ollama, ollamaGenerate } from './wire-ollama.ts'
import { responses } from './wire-responses.ts'

export const wireNames = ['openai', 'huggingface', 'ollama', 'responses', 'anthropic', 'gemini'] as const
export type WireName = (typeof wireNames)[number]

/** The format in which a provider puts an answer. */
export interface Wire {
  readonly name: WireName
  /** The content type of a stream. */
  readonly streamType: string
  /** The events that open a stream before its first content. */
  roles(answer: Answer): string[]
  /** The events for the words `from` to `to`, alternating between the choices. */
  said(answer: Answer, from?: number, to?: number): string[]
  /** The events that finish every choice. */
  finishes(answer: Answer): string[]
  /** The events after the last finish. */
  readonly done: readonly string[]
  /** The first part of an event with content. */
  half(answer: Answer): string
  /** An event that is no JSON. */
  malformed(answer: Answer): string
  readonly heartbeat: string
  /** The body of a whole answer. */
  whole(answer: Answer): string
  /** The body of an error. `status`: the HTTP status that it comes with. */
  failure(message: string, code?: string, status?: number): string
  /** An error inside a stream. */
  failing(message: string): string
}

export function frame(data: unknown): string {
  return `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`
}

const base = { created: 1_700_000_000, model: 'faulty-model' }
const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 }

interface Manner {
  readonly id: (number: number) => string
  /** What stands in every delta. */
  readonly inDelta: object
  readonly failure: (message: string, code?: string) => object
}

/** Server-sent events in OpenAI's format. */
function events(name: WireName, { id, inDelta, failure }: Manner): Wire {
  const chunk = (number: number, index: number, delta: object, finish: string | null = null) =>
    frame({
      id: id(number),
      object: 'chat.completion.chunk',
      ...base,
      choices: [{ index, delta: { ...inDelta, ...delta }, finish_reason: finish }],
    })
  return {
    name,
    streamType: 'text/event-stream',
    roles: ({ number, choices }) => choices.map((_, index) => chunk(number, index, { role: 'assistant', content: '' })),
    said: (answer, from, to) =>
      alternating(answer, from, to, (index, content) => chunk(answer.number, index, { content })),
    finishes: ({ number, choices }) => choices.map((_, index) => chunk(number, index, {}, 'stop')),
    done: [frame('[DONE]')],
    half: ({ number }) => chunk(number, 0, { content: 'never said' }).slice(0, 90),
    malformed: ({ number }) => frame(chunk(number, 0, { content: 'x' }).slice(6, 90)),
    heartbeat: ': still there\n\n',
    whole: ({ number, choices }) =>
      JSON.stringify({
        id: id(number),
        object: 'chat.completion',
        ...base,
        choices: choices.map((words, index) => ({
          index,
          message: { role: 'assistant', content: words.join('') },
          logprobs: null,
          finish_reason: 'stop',
        })),
        usage,
      }),
    failure: (message, code) => JSON.stringify(failure(message, code)),
    failing: (message) => frame(failure(message)),
  }
}

function alternating<T>(
  { choices }: Answer,
  from = 0,
  to = Number.POSITIVE_INFINITY,
  make: (index: number, content: string) => T,
): T[] {
  const longest = Math.max(...choices.map(({ length }) => length))
  const made: T[] = []
  for (let at = from; at < Math.min(to, longest); at++) {
    for (const [index, words] of choices.entries()) {
      const content = words[at]
      if (content !== undefined) made.push(make(index, content))
    }
  }
  return made
}

const openai = events('openai', {
  id: (number) => `chatcmpl-${number}`,
  inDelta: {},
  failure: (message, code) => ({ error: { message, type: 'server_error', param: null, code: code ?? null } }),
})

/** As Text Generation Inference behind Hugging Face has it: no id, the role in every delta, errors as text. */
const huggingface = events('huggingface', {
  id: () => '',
  inDelta: { role: 'assistant' },
  failure: (message, code) => ({ error: message, error_type: code ?? 'generation' }),
})

export const wires: Readonly<Record<WireName, Wire>> = { openai, huggingface, ollama, responses, anthropic, gemini }

/** The format of the answer to a request; undefined if it is to no model. */
export function wireAt(path: string): Wire | undefined {
  return ways.find(([pattern]) => pattern.test(path))?.[1]
}

const ways: readonly (readonly [path: RegExp, wire: Wire])[] = [
  [/\/api\/chat$/, ollama],
  [/\/api\/generate$/, ollamaGenerate],
  [/\/responses$/, responses],
  [/\/messages$/, anthropic],
  [/:(generate|streamGenerate)Content(\?|$)/, gemini],
  [/\/huggingface\/.*\/chat\/completions$/, huggingface],
  [/\/chat\/completions$/, openai],
]
