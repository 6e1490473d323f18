import { readNative } from '../../contract/read.ts'
import { made } from '../../contract/subjects.ts'
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
  type DialectCases,
  most,
  type Question,
  weather,
} from './dialect.ts'
import { keyless, missing, mistakes, unknown } from './errors.ts'
import { lookUp, whole } from './looked-up.ts'
import {
  chatFault,
  embeddingFault,
  embedFault,
  generateFault,
  type Line,
  linesFault,
  linesIn,
  ollamaErrorFault,
  runningFault,
  showFault,
  tagsFault,
  versionFault,
} from './ollama-form.ts'

function settingsOf({ most: limit = most, schema, thinks, stops }: Question, streams: boolean) {
  return {
    options: { temperature: 0, num_predict: limit, ...(stops && { stop: stops }) },
    ...(schema && { format: answerSchema }),
    ...(thinks && { think: true }),
    // A stream is what it sends unasked.
    ...(!streams && { stream: false }),
  }
}

const image = pixel.replace(/^.*,/, '')

function messagesOf({ text, system, result, image: hasImage }: Question): readonly object[] {
  const { name } = weather
  return [
    ...(system ? [{ role: 'system', content: system }] : []),
    { role: 'user', content: text, ...(hasImage && { images: [image] }) },
    ...(result
      ? [
          { role: 'assistant', content: '', tool_calls: [{ function: { name, arguments: called } }] },
          { role: 'tool', tool_name: name, content: result },
        ]
      : []),
  ]
}

const tools = [
  {
    type: 'function',
    function: { name: weather.name, description: weather.description, parameters: weather.schema },
  },
]

const lines: Pick<Conversation, 'streamType' | 'read' | 'promptTokens' | 'statuses'> = {
  streamType: 'application/x-ndjson',
  read: (text) => readNative(text)[0],
  promptTokens: (text) => Number(linesIn(`${text.trimEnd()}\n`).at(-1)?.prompt_eval_count),
  statuses: { rateLimit: 429, wrongKey: 502, down: 503 },
}

const chatting: Conversation = {
  ...lines,
  path: () => '/api/chat',
  body(question, streams) {
    // It has no way to say what must be called.
    if (question.choice) return undefined
    return {
      messages: messagesOf(question),
      ...(question.tools && { tools }),
      ...settingsOf(question, streams),
    }
  },
  wrong: { messages: 'hi' },
  required: ['model'],
  formFault: ({ text, streamed }) => (streamed ? linesFault(text, 'chat') : chatFault(JSON.parse(text))),
}

const generating: Conversation = {
  ...lines,
  path: () => '/api/generate',
  body(question, streams) {
    const { text, system, image: hasImage, tools: calls } = question
    if (calls) return undefined
    return {
      prompt: text,
      ...(system && { system }),
      ...(hasImage && { images: [image] }),
      ...settingsOf(question, streams),
    }
  },
  wrong: { prompt: 5 },
  required: ['model'],
  formFault: ({ text, streamed }) => (streamed ? linesFault(text, 'generate') : generateFault(JSON.parse(text))),
}

/** Ollama itself was recorded with few texts without a chat: what it said in one, as this route says it. */
function fromChats(cases: DialectCases): DialectCases {
  const entries = Object.entries(cases).map(([kind, asksFor]) => [
    kind,
    (target: Target) => asksFor(target)?.map((ask) => ({ ...ask, upstream: generated(target, ask.upstream) })),
  ])
  return Object.fromEntries(entries)
}

function generated({ subject }: Target, upstream: DialectAsk['upstream']): DialectAsk['upstream'] {
  if (!isOwn(subject) || typeof upstream !== 'string') return upstream
  const [, base = '', stream = ''] = /^(.*?)(_stream)?$/.exec(upstream) ?? []
  if (base === 'chat') return `generate${stream}`
  const label = `${subject?.chats[base] ?? base}${stream}`
  const chat = subject?.recordings.cases.find((one) => one.label === label)?.response
  if (chat?.status !== 200) return upstream
  const body = linesIn(`${chat.body.trimEnd()}\n`).map(({ message, ...line }) => {
    const { content, thinking } = message as Line
    return `${JSON.stringify({ ...line, response: content, ...(thinking ? { thinking } : {}) })}\n`
  })
  const type = stream ? lines.streamType : 'application/json'
  return { status: 200, headers: { 'content-type': type }, body: body.join('') }
}

function isOwn(subject: Target['subject']): boolean {
  return subject?.recordings.name.endsWith('native') ?? false
}

/** The vectors of the older route, which Ollama's own has alone in an answer of another form. */
function oldVector(target: Target): DialectAsk['upstream'] {
  return isOwn(target.subject) ? made(200, { embedding: [0.6, 0.8] }) : embeddingsOf(target, 1)
}

const embedded = (target: Target): DialectAsk => ({
  ...{ about: 'two texts', upstream: embeddingsOf(target, 2), path: '/api/embed', body: { input: ['a', 'b'] } },
  check: whole(embedFault),
})
const oldEmbedded = (target: Target): DialectAsk => ({
  ...{ about: 'a text', upstream: oldVector(target), path: '/api/embeddings', body: { prompt: 'a' } },
  check: whole(embeddingFault),
})

const tags = lookUp('the list', '/api/tags', whole(tagsFault))
const running = lookUp('the list', '/api/ps', whole(runningFault))
const version = lookUp('the version', '/api/version', whole(versionFault))
const shown: DialectAsk = { ...lookUp('one of them', '/api/show', whole(showFault)), body: {} }

/** https://github.com/ollama/ollama/blob/main/docs/api.md */
export const ollama: Dialect = {
  name: 'Ollama',
  key: { authorization: `Bearer ${clientKey}` },
  idHeaders: ['x-request-id'],
  errorFault: ollamaErrorFault,
  messageOf: (body) => (body as { error: string }).error,
  routes: {
    '/api/chat': conversationCases(chatting),
    '/api/generate': fromChats(conversationCases(generating)),
    '/api/embed': {
      plain: (target) => [embedded(target)],
      errors: (target) =>
        mistakes(embedded(target), missing(target, embedded(target)), { invalid: { input: 5 }, required: ['model'] }),
    },
    '/api/embeddings': {
      plain: (target) => [oldEmbedded(target)],
      errors: (target) =>
        mistakes(oldEmbedded(target), missing(target, oldEmbedded(target)), {
          invalid: { prompt: 5 },
          required: ['model'],
        }),
    },
    '/api/tags': { plain: () => [tags], errors: () => [keyless(tags)] },
    '/api/ps': { plain: () => [running], errors: () => [keyless(running)] },
    '/api/version': { plain: () => [version], errors: () => [keyless(version)] },
    '/api/show': { plain: () => [shown], errors: () => mistakes(shown, unknown(shown), { required: ['model'] }) },
  },
}
