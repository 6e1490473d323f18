import { beforeEach, describe, expect, it } from 'vitest'
import { chat, eventsOf } from '../support/ask.ts'
import { runtimes, serveBoth } from '../support/both.ts'
import { json, type Script, stream } from '../support/upstream.ts'

const { upstream, both } = serveBoth(
  'logprobs',
  (url) => ({
    providers: {
      ollama: { type: 'ollama', baseURL: url },
      tgi: { type: 'huggingface', apiKey: 'env:KEY', endpointUrl: url, engine: 'tgi' },
      turncoat: { type: 'openai-compatible', baseURL: `${url}/turncoat` },
      demo: { type: 'embedded' },
    },
  }),
  { env: { KEY: 'k-of-the-provider' } },
)

interface Token {
  readonly token: string
  readonly logprob: number
  readonly bytes: readonly number[] | null
  readonly top_logprobs: readonly Token[]
}

const token = (text: string, logprob: number) => ({
  token: text,
  logprob,
  bytes: [...new TextEncoder().encode(text)],
  top_logprobs: [
    { token: text, logprob, bytes: null },
    { token: '?', logprob: -9, bytes: null },
  ],
})
const tokens = [token('Hel', -0.1), token('lo', -0.25), token('!', -1.5)]

const line = (content: string, more: object) =>
  `${JSON.stringify({ model: 'x', created_at: '2026-01-01T00:00:00Z', message: { role: 'assistant', content }, ...more })}\n`

const nativeWhole = json(200, JSON.parse(line('Hello!', { done: true, done_reason: 'stop', logprobs: tokens })))
const nativeStream = stream(
  [
    ...tokens.map((one) => line(one.token, { done: false, logprobs: [one] })),
    line('', { done: true, done_reason: 'stop' }),
  ],
  'end',
  'application/x-ndjson',
)

const head = { id: 'chatcmpl-1', created: 1, model: 'm' }
const openaiWhole = json(200, {
  ...head,
  object: 'chat.completion',
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: 'Hello!' },
      logprobs: { content: tokens },
      finish_reason: 'stop',
    },
  ],
})
const openaiChunk = (choice: object) =>
  `data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', choices: [{ index: 0, ...choice }] })}\n\n`
const openaiStream = stream([
  ...tokens.map((one, at) =>
    openaiChunk({
      delta: { ...(at === 0 && { role: 'assistant' }), content: one.token },
      logprobs: { content: [one] },
      finish_reason: null,
    }),
  ),
  openaiChunk({ delta: {}, logprobs: null, finish_reason: 'stop' }),
  'data: [DONE]\n\n',
])

/** Each in the form that was asked for, except for a server that always answers in the other one. */
const answering: Script = (request, ...rest) => {
  const streams = JSON.parse(request.body).stream === true
  if (request.path === '/api/chat') return (streams ? nativeStream : nativeWhole)(request, ...rest)
  const asked = request.path.startsWith('/turncoat') ? !streams : streams
  return (asked ? openaiStream : openaiWhole)(request, ...rest)
}

interface Choice {
  readonly message: object
  readonly logprobs: { readonly content: readonly Token[] } | null
}

describe.each(runtimes)('Log probabilities on %s', (runtime) => {
  beforeEach(() => upstream.script(answering))

  it.each(['ollama/x', 'tgi/x', 'turncoat/x', 'demo/tiny-chat'])(
    'are the same in a stream and in a whole answer, and have all keys: %s',
    async (model) => {
      const asked = { logprobs: true, top_logprobs: 2, max_tokens: 8, seed: 1 }
      const whole = await both.ask(runtime, chat(model, asked))
      expect(whole.status).toBe(200)
      const [choice] = (JSON.parse(whole.text) as { choices: Choice[] }).choices
      const streamed = await both.ask(runtime, chat(model, { ...asked, stream: true }))
      const pieces = eventsOf(streamed.text)
        .filter(({ data }) => data !== '[DONE]')
        .flatMap(({ data }) => (JSON.parse(data) as { choices: Choice[] }).choices)
      const said = pieces.flatMap(({ logprobs }) => logprobs?.content ?? [])
      expect(said).toEqual(choice?.logprobs?.content)
      expect(said.length).toBeGreaterThan(2)
      for (const one of said) {
        expect(Object.keys(one).sort()).toEqual(['bytes', 'logprob', 'token', 'top_logprobs'])
        expect(one.top_logprobs).toHaveLength(2)
      }
    },
  )

  it.each(['ollama/x', 'tgi/x', 'demo/tiny-chat'])(
    'are null where they were not asked for, like a refusal that there is none: %s',
    async (model) => {
      upstream.script((request, ...rest) =>
        (request.path === '/api/chat'
          ? json(200, JSON.parse(line('Hello!', { done: true })))
          : json(200, {
              ...head,
              object: 'chat.completion',
              choices: [{ index: 0, message: { role: 'assistant', content: 'hi' }, finish_reason: 'stop' }],
            }))(request, ...rest),
      )
      const answer = JSON.parse((await both.ask(runtime, chat(model, { max_tokens: 2 }))).text) as {
        choices: Choice[]
      }
      expect(answer).toMatchObject({
        id: expect.stringMatching(/^chatcmpl-/),
        object: 'chat.completion',
        created: expect.any(Number),
        model: expect.any(String),
        choices: [
          {
            index: 0,
            message: { role: 'assistant', content: expect.any(String), refusal: null },
            logprobs: null,
            finish_reason: expect.any(String),
          },
        ],
      })
    },
  )
})
