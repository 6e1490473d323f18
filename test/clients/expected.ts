import asks from './asks.json' with { type: 'json' }
import type { Api } from './clients.ts'

export type Task = keyof typeof asks
export const tasks = Object.keys(asks) as Task[]

/** What a client made of one task. */
export type Outcome =
  | { readonly task: Task; readonly got: unknown }
  | { readonly task: Task; readonly thrown: Told }
  | { readonly task: Task; readonly cannot: string }

/** An error as the client tells it. */
export interface Told {
  readonly status?: number | null
  readonly code?: string | null
  readonly message: string
  /** It tells nothing else. */
  readonly bare?: boolean
}

const hello = 'Hello! How can I help you?'

/** Whether a client got what the model says. */
const answers: Partial<Record<Task, (got: never) => boolean>> = {
  chat: (got: string) => got === hello,
  stream: (got: string[]) => got.length > 3 && got.join('') === hello,
  tools: (got: unknown) =>
    same(
      got,
      ['Paris', 'Rome'].map((city) => ({ name: 'get_weather', arguments: { city } })),
    ),
  functions: (got: unknown) => same(got, { name: 'get_weather', arguments: { city: 'Paris' } }),
  // A tool that says so was called, and the model was told.
  loop: (got: string) => got.includes('sunny'),
  turns: ([first, second]: string[]) => first === hello && Boolean(second),
  schema: ({ ok, color, ...rest }: Record<string, unknown>) =>
    typeof ok === 'boolean' && ['red', 'green'].includes(String(color)) && Object.keys(rest).length === 0,
  embeddings: (got: number[][]) =>
    got.length === 2 &&
    got.every((vector) => vector.length > 8 && vector.every(Number.isFinite)) &&
    !same(got[0], got[1]),
  generate: (got: string) => got === hello,
  count: (got: number) => Number.isInteger(got) && got > 0,
  models: (got: string[]) => got.includes(asks.models.model),
  show: (got: string[]) => ['completion', 'tools'].every((capability) => got.includes(capability)),
}

// It is told after the head of a good answer: some clients keep the message alone.
const broken = { message: 'The connection to the upstream broke' }
/** Told in the words of each API, with the name that it has for its kinds of errors as the code. */
const errors: Record<Api, Partial<Record<Task, Told>>> = {
  openai: {
    error: { status: 400, code: 'context_length_exceeded', message: 'maximum context length is 2048 tokens' },
    missing: { status: 404, code: 'model_not_found', message: 'The model `gpt-3.5-turbo-0301` does not exist' },
    broken,
  },
  anthropic: {
    error: { status: 400, code: 'invalid_request_error', message: '2048' },
    missing: { status: 404, code: 'not_found_error', message: 'gpt-3.5-turbo-0301' },
    broken,
  },
  gemini: {
    error: { status: 400, code: 'INVALID_ARGUMENT', message: '2048' },
    missing: { status: 404, code: 'NOT_FOUND', message: 'gpt-3.5-turbo-0301' },
    broken,
  },
  ollama: {
    error: { status: 400, message: '2048' },
    missing: { status: 404, message: 'gpt-3.5-turbo-0301' },
    broken,
  },
}

/** What is wrong with an outcome; undefined if nothing is. */
export function wrong(outcome: Outcome, api: Api): string | undefined {
  if ('cannot' in outcome) return undefined
  const { task } = outcome
  const wanted = errors[api][task]
  if ('got' in outcome) {
    if (!wanted && answers[task]?.(outcome.got as never)) return undefined
    return `got ${JSON.stringify(outcome.got)}${wanted ? ` instead of the error: ${wanted.message}` : ''}`
  }
  const { thrown } = outcome
  const fits =
    wanted &&
    (['status', 'code'] as const).every((key) => thrown.bare || !(key in wanted) || wanted[key] === thrown[key])
  return fits && thrown.message.includes(wanted.message) ? undefined : `threw ${JSON.stringify(thrown)}`
}

const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b)
