import {
  amount,
  anything,
  type Check,
  checkOf,
  count,
  list,
  object,
  oneOf,
  only,
  type Schema,
  text,
} from '../json-schema.ts'

const positive = { ...count, minimum: 1 }
const time = { type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?(Z|[+-]\\d\\d:\\d\\d)$' }
const head = { model: text, created_at: time }

/** Go leaves out a number that is 0, such as a time in which nothing had to be loaded. */
const measures = [
  {
    ...{ done: oneOf(true), done_reason: oneOf('stop', 'length') },
    ...{ total_duration: positive, prompt_eval_count: positive, prompt_eval_duration: positive },
    ...{ eval_count: positive, eval_duration: positive },
  },
  { load_duration: positive },
] as const
const loaded = { done: oneOf(true), done_reason: oneOf('load', 'unload') }
const going = { done: oneOf(false) }

const token = { token: text, logprob: amount, bytes: list(count) }
const logprobs = list(only({ token: text, logprob: amount }, { ...token, top_logprobs: list(only(token)) }))

const called = only({ name: text, arguments: { type: 'object' } }, { index: count })
const message = only(
  { role: oneOf('assistant'), content: text },
  { thinking: text, tool_calls: list(only({ function: called }, { id: text })) },
)
const said = {
  chat: [{ message }, {}],
  // `context` is what older versions went on from.
  generate: [{ response: text }, { thinking: text, context: list(count) }],
} as const
type Route = keyof typeof said

const answer = (route: Route, [fields, more]: readonly [object, object]) =>
  only({ ...head, ...said[route][0], ...fields }, { ...said[route][1], ...more, logprobs })

const lastOf = (route: Route) => ({ anyOf: [answer(route, measures), answer(route, [loaded, {}])] })

/** A whole answer: https://github.com/ollama/ollama/blob/main/docs/api.md, and as the recorded ones are. */
export const chatFault = checkOf(lastOf('chat'))
export const generateFault = checkOf(lastOf('generate'))

const checks = {
  chat: { going: checkOf(answer('chat', [going, {}])), last: chatFault },
  generate: { going: checkOf(answer('generate', [going, {}])), last: generateFault },
} satisfies Record<Route, Record<string, Check>>

export type Line = Readonly<Record<string, unknown>>

/** The lines of a stream. Throws unless each of them ends. */
export function linesIn(stream: string): readonly Line[] {
  if (!stream.endsWith('\n')) throw new Error('the last line does not end')
  return stream
    .slice(0, -1)
    .split('\n')
    .map((line) => JSON.parse(line) as Line)
}

export function linesFault(stream: string, route: Route): string | undefined {
  const lines = linesIn(stream)
  for (const [at, line] of lines.entries()) {
    const wrong = checks[route][at === lines.length - 1 ? 'last' : 'going'](line)
    if (wrong) return `line ${at}: ${wrong}`
  }
  return undefined
}

const vector = { ...list(amount), minItems: 1 }
export const embedFault = checkOf(
  only(
    { model: text, embeddings: { ...list(vector), minItems: 1 }, total_duration: positive },
    { load_duration: positive, prompt_eval_count: positive },
  ),
)
export const embeddingFault = checkOf(only({ embedding: vector }))

const details = object({
  ...{ parent_model: text, format: text, family: text, families: list(text) },
  ...{ parameter_size: text, quantization_level: text },
})
const tagged = { type: 'string', pattern: ':[^/]+$' }
const digest = { type: 'string', pattern: '^[0-9a-f]{64}$' }
const entry = (more: Readonly<Record<string, Schema>>) =>
  only({ name: tagged, model: tagged, size: count, digest, details, ...more })
const models = (one: Schema) => checkOf(only({ models: { ...list(one), minItems: 1 } }))

export const tagsFault = models(entry({ modified_at: time, capabilities: list(text) }))
export const runningFault = models(entry({ expires_at: time, size_vram: count, context_length: count }))
export const versionFault = checkOf(only({ version: { type: 'string', pattern: '^\\d+\\.\\d+\\.\\d+' } }))
export const showFault = checkOf(
  object(
    {
      ...{ modelfile: text, parameters: text, template: text, details, capabilities: list(text), modified_at: time },
      model_info: object({ 'general.architecture': text }),
    },
    { tensors: list(anything), projector_info: anything, license: text, system: text },
  ),
)

export const ollamaErrorFault = checkOf(only({ error: { type: 'string', minLength: 1 } }))
