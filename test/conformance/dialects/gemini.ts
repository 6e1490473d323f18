import { readGenerated } from '../../contract/read.ts'
import { embeddingsOf } from '../cases/embeddings.ts'
import { pixel } from '../cases/said.ts'
import type { Target } from '../targets.ts'
import { conversationCases } from './conversation.ts'
import {
  answerSchema,
  type Conversation,
  called,
  clientKey,
  type Dialect,
  type DialectAsk,
  most,
  type Question,
  weather,
} from './dialect.ts'
import { keyless, missing, mistakes, unknown } from './errors.ts'
import {
  batchFault,
  chunksFault,
  chunksIn,
  countFault,
  embeddingFault,
  geminiErrorFault,
  generatedFault,
  modelFault,
  modelsFault,
} from './gemini-form.ts'
import { lookUp, whole } from './looked-up.ts'

/** With the schemas as Google's libraries write them, or else in JSON Schema, as gemini-cli does. */
type Schemas = 'own' | 'json'

function bodyOf(question: Question, schemas: Schemas) {
  const { text, system, tools, choice, result, image } = question
  const forced = { mode: 'ANY', ...(choice !== 'any' && { allowedFunctionNames: [choice] }) }
  return {
    contents: [{ role: 'user', parts: [{ text }, ...(image ? [pictured()] : [])] }, ...(result ? turnsOf(result) : [])],
    ...(system && { systemInstruction: { parts: [{ text: system }] } }),
    ...(tools && { tools: [{ functionDeclarations: [declaration(schemas)] }] }),
    ...(choice && { toolConfig: { functionCallingConfig: forced } }),
    generationConfig: configOf(question, schemas),
  }
}

function configOf({ most: limit = most, schema, thinks, stops }: Question, schemas: Schemas) {
  const answer = schemas === 'own' ? { responseSchema: upper(answerSchema) } : { responseJsonSchema: answerSchema }
  return {
    temperature: 0,
    maxOutputTokens: limit,
    ...(schema && { responseMimeType: 'application/json', ...answer }),
    ...(thinks && { thinkingConfig: { includeThoughts: true } }),
    ...(stops && { stopSequences: stops }),
  }
}

function declaration(schemas: Schemas) {
  const { name, description, schema } = weather
  return {
    ...{ name, description },
    ...(schemas === 'own' ? { parameters: upper(schema) } : { parametersJsonSchema: schema }),
  }
}

/** A schema with the types in Google's own names. */
function upper(schema: object): unknown {
  return JSON.parse(JSON.stringify(schema), (key, value) => {
    if (key === 'type' && typeof value === 'string') return value.toUpperCase()
    return key === 'additionalProperties' ? undefined : value
  })
}

function pictured() {
  const [, mimeType, data] = /^data:(.*);base64,(.*)$/.exec(pixel) ?? []
  return { inlineData: { mimeType, data } }
}

function turnsOf(output: string): readonly object[] {
  const { name } = weather
  return [
    { role: 'model', parts: [{ functionCall: { name, args: called }, thoughtSignature: placeholder }] },
    { role: 'user', parts: [{ functionResponse: { name, response: { output } } }] },
  ]
}

/** What Google's clients put on a call that came without a signature. */
const placeholder = 'skip_thought_signature_validator'

const generating: Conversation = {
  path: (streams) => `/v1beta/models/{model}:${streams ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
  streamType: 'text/event-stream',
  // Each way of writing a schema goes one way of asking.
  body: (question, streams) => bodyOf(question, streams ? 'json' : 'own'),
  wrong: { contents: 'hi' },
  required: ['contents'],
  formFault: ({ text, streamed }) => (streamed ? chunksFault(chunksIn(text)) : generatedFault(JSON.parse(text))),
  read: (text) => readGenerated(text.replaceAll('\r\n', '\n'))[0],
  promptTokens(text) {
    const last = text.startsWith('data: ') ? chunksIn(text).at(-1) : JSON.parse(text)
    return last.usageMetadata.promptTokenCount
  },
  statuses: { rateLimit: 429, wrongKey: 502, down: 503 },
}

const generation = conversationCases(generating)

/** Without `alt=sse` a stream is a list of what would be its events. */
function asList(ask: DialectAsk): DialectAsk {
  return {
    ...ask,
    about: 'as a list',
    path: ask.path.replace('?alt=sse', ''),
    type: 'application/json',
    check(got) {
      const events = (JSON.parse(got.text) as object[]).map((one) => `data: ${JSON.stringify(one)}\n\n`)
      return ask.check?.({ ...got, text: events.join(''), streamed: true })
    },
  }
}

const contents = [{ role: 'user', parts: [{ text: 'hi' }] }]
const path = (method: string) => `/v1beta/models/{model}:${method}`

const counted = (about: string, body: DialectAsk['body'] & object): DialectAsk => ({
  ...{ about, upstream: 'chat', path: path('countTokens'), body },
  check: whole(countFault),
})
const countedContents = counted('contents', { contents })

const content = { parts: [{ text: 'a cat' }] }
const embedded = (target: Target): DialectAsk => ({
  ...{ about: 'a text', upstream: embeddingsOf(target, 1), path: path('embedContent'), body: { content } },
  check: whole(embeddingFault),
})
const batch = (target: Target): DialectAsk => ({
  ...{ about: 'two texts', upstream: embeddingsOf(target, 2), path: path('batchEmbedContents') },
  body: { requests: [{ content }, { content: { parts: [{ text: 'a dog' }] } }] },
  check: whole(batchFault),
})

const list = lookUp('the list', '/v1beta/models', whole(modelsFault))
const one = lookUp('one of them', '/v1beta/models/{model}', whole(modelFault))

/** https://ai.google.dev/api */
export const gemini: Dialect = {
  name: 'Gemini',
  key: { 'x-goog-api-key': clientKey },
  idHeaders: ['x-request-id'],
  errorFault: geminiErrorFault,
  messageOf: (body) => (body as { error: { message: string } }).error.message,
  routes: {
    [path('generateContent')]: {
      ...generation,
      stream: (target) => generation.stream?.(target)?.flatMap((ask) => [ask, asList(ask)]),
    },
    [path('countTokens')]: {
      plain: () => [countedContents, counted('a whole request', { generateContentRequest: { contents } })],
      errors: () =>
        mistakes(countedContents, unknown(countedContents), { invalid: { contents: 'hi' }, required: ['contents'] }),
    },
    [path('embedContent')]: {
      plain: (target) => [embedded(target)],
      errors: (target) =>
        mistakes(embedded(target), missing(target, embedded(target)), {
          invalid: { content: 5 },
          required: ['content'],
        }),
    },
    [path('batchEmbedContents')]: {
      plain: (target) => [batch(target)],
      errors: (target) =>
        mistakes(batch(target), missing(target, batch(target)), {
          invalid: { requests: 'hi' },
          required: ['requests'],
        }),
    },
    '/v1beta/models': { plain: () => [list], errors: () => [keyless(list)] },
    '/v1beta/models/{model}': { plain: () => [one], errors: () => [unknown(one), keyless(one)] },
  },
}
