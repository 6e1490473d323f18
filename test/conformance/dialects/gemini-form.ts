import { amount, checkOf, count, list, object, oneOf, type Schema, text } from '../json-schema.ts'

const part = {
  anyOf: [
    object({ text }, { thought: { type: 'boolean' }, thoughtSignature: text }),
    object({ functionCall: object({ name: text, args: { type: 'object' } }, { id: text }) }),
    object({ inlineData: object({ mimeType: text, data: text }) }),
  ],
}
const content = object({ role: oneOf('model'), parts: list(part) })
const reasons = oneOf('STOP', 'MAX_TOKENS', 'SAFETY', 'MALFORMED_FUNCTION_CALL')
const usageMetadata = object({
  promptTokenCount: { ...count, minimum: 1 },
  candidatesTokenCount: count,
  totalTokenCount: { ...count, minimum: 1 },
})
const head = { modelVersion: text, responseId: text }
const candidates = (candidate: Schema) => ({ ...list(candidate), minItems: 1, maxItems: 1 })

const ended = object({
  candidates: candidates(object({ content, index: count, finishReason: reasons })),
  usageMetadata,
  ...head,
})

/** A whole answer: https://ai.google.dev/api/generate-content#GenerateContentResponse */
export const generatedFault = checkOf(ended)

/** One that goes on has no reason to have ended. */
const open = {
  ...object({ content, index: count }),
  not: { required: ['finishReason'] },
}
const openFault = checkOf(object({ candidates: candidates(open), ...head }))

/** The events of a stream, without its comments. Throws for a frame that is none. */
export function chunksIn(stream: string) {
  const frames = stream.replaceAll('\r\n', '\n')
  if (!frames.endsWith('\n\n')) throw new Error('the stream does not end with a blank line')
  return frames
    .slice(0, -2)
    .split('\n\n')
    .filter((frame) => !frame.startsWith(':'))
    .map((frame) => JSON.parse(/^data: (.*)$/.exec(frame)?.[1] ?? ''))
}

/** What is wrong with a stream: every event but the last goes on, and all have one name. */
export function chunksFault(chunks: readonly { readonly responseId: string }[]): string | undefined {
  const ids = new Set(chunks.map(({ responseId }) => responseId))
  if (ids.size !== 1) return `the stream has the ids ${[...ids]}`
  for (const [at, chunk] of chunks.entries()) {
    const isLast = at === chunks.length - 1
    const wrong = (isLast ? generatedFault : openFault)(chunk)
    if (wrong) return `event ${at}: ${wrong}`
  }
  return undefined
}

/** https://ai.google.dev/api/tokens */
export const countFault = checkOf(object({ totalTokens: { ...count, minimum: 1 } }))

const values = object({ values: { ...list(amount), minItems: 1 } })
/** https://ai.google.dev/api/embeddings */
export const embeddingFault = checkOf(object({ embedding: values }))
export const batchFault = checkOf(object({ embeddings: { ...list(values), minItems: 2, maxItems: 2 } }))

const model = object({
  name: { type: 'string', pattern: '^models/' },
  version: text,
  displayName: text,
  supportedGenerationMethods: list(text),
})
/** https://ai.google.dev/api/models */
export const modelFault = checkOf(model)
export const modelsFault = checkOf(object({ models: { ...list(model), minItems: 1 } }))

/** https://cloud.google.com/apis/design/errors#handling_errors */
const statuses: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  502: 'UNAVAILABLE',
  503: 'UNAVAILABLE',
}

const errorChecks = new Map(
  Object.entries(statuses).map(([code, status]) => {
    const error = object({ code: oneOf(Number(code)), message: text, status: oneOf(status) })
    return [Number(code), checkOf(object({ error }))]
  }),
)

export function geminiErrorFault(body: unknown, status: number): string | undefined {
  return (errorChecks.get(status) ?? (() => 'no such status'))(body)
}
